import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { defineNode } from "@roost/edge";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { readSources } from "../../tools/sources.ts";
import { type LogRecord, RecordingLogger } from "../identity/support.ts";
import { available, background } from "./network_support.ts";
import { echoNode } from "./support.ts";

const limit = { timeout: 60_000 };

const network = (log: RecordingLogger): LogRecord[] =>
  log.records.filter(({ event }) => event.startsWith("network_event."));

describe("log events of a node", () => {
  it("network_event.* follow a report to its result", limit, async () => {
    const log = new RecordingLogger();
    await using world = await TestWorld.open();
    await using t = await TestNode.start(world, echoNode(), { components: { log } });
    await world.clock.through(t.node.network.report(background));
    assert.deepEqual(
      network(log).map(({ level, event, attributes }) => [level, event.slice(14), attributes]),
      [
        ["debug", "node.handle_created", {}],
        ["debug", "node.loop_started", {}],
        ["debug", "handle.enqueue", { kind: "background" }],
        ["debug", "reconciler.reduced", { events: 1, action: "noop" }],
        ["debug", "action.start", { action: "noop" }],
        ["info", "action.completed", { action: "noop", duration_ms: 0 }],
        [
          "debug",
          "handle.result_received",
          { kind: "background", action: "noop", duration_ms: 400 },
        ],
      ],
    );
  });

  it("network_event.handle.result_failed and enqueue_failed say why", limit, async () => {
    const log = new RecordingLogger();
    await using world = await TestWorld.open();
    const options = { network: { maxEvents: 1 } };
    await using t = await TestNode.start(world, defineNode({ options }), { components: { log } });
    const waiting = assert.rejects(t.node.network.report(available()));
    await assert.rejects(t.node.network.report(available(2)));
    await t.stop();
    await waiting;
    const failed = network(log).filter(({ level }) => level === "warn");
    assert.deepEqual(
      failed.map(({ event, attributes }) => [event.slice(14), attributes["error_code"]]),
      [
        ["handle.enqueue_failed", "overloaded"],
        ["handle.result_failed", "stopping"],
      ],
    );
  });

  it("network_event.action.completed warns of an action that failed", limit, async () => {
    const log = new RecordingLogger();
    await using world = await TestWorld.open();
    await using t = await TestNode.start(world, echoNode(), { components: { log } });
    await world.stopRendezvous();
    await world.clock.through(t.node.network.report(available()));
    const done = network(log).find(({ event }) => event === "network_event.action.completed");
    assert.equal(done?.level, "warn");
    assert.equal(done?.attributes["action"], "restore");
    assert.match(String(done?.attributes["error_code"]), /^[a-z_]+$/);
  });

  it(
    "identity.registration_failed is as grave as can be, and says what the server said",
    limit,
    async () => {
      const log = new RecordingLogger();
      const rendezvous = { realms: [{ id: 7, secret: "open sesame" }] };
      await using world = await TestWorld.open({ rendezvous });
      const options = { realm: 7, realmSecret: "wrong", components: { log } };
      await assert.rejects(TestNode.start(world, echoNode(), options), { code: "registration" });
      const [refused] = log.records.filter(({ event }) => event === "identity.registration_failed");
      assert.equal(refused?.level, "error");
      const { severity, error_category, error_code } = refused?.attributes ?? {};
      assert.deepEqual([severity, error_category, error_code], [10, "registration_error", 403]);
    },
  );
});

/** Calls of a logger with their event and, where they are written in place, the fields. */
const logCall =
  /\blog(?:ger)?(?:\(\))?\??\.(?:trace|debug|info|warn|error)\(\s*"([^"]+)"(?:,\s*\{([^{}]*)\})?/g;

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** Names that say too little: `error_code`, `close_code`; `message_id`, `actr_id`; `reason`. */
const vague = new Set(["code", "id", "message"]);

/** Names of the fields in the text of an object literal; what is spread into it is left out. */
function fieldsIn(text: string): string[] {
  const names = text.split(/,(?![^(]*\))/).map((part) => part.trim().split(/[\s:]/)[0] ?? "");
  return names.filter((name) => name !== "" && !name.startsWith("..."));
}

describe("log events in the sources", () => {
  const calls = [...readSources(["src", "transports", "adapters"])].flatMap(({ path, text }) =>
    [...text.matchAll(logCall)].map(([, event = "", fields = ""]) => ({ path, event, fields })),
  );

  it("have dotted names, and fields in snake_case", () => {
    assert.ok(calls.length > 40, `${calls.length} found`);
    for (const { path, event, fields } of calls) {
      assert.ok(
        event.includes(".") && event.split(".").every((part) => snakeCase.test(part)),
        `${path}: ${event}`,
      );
      for (const name of fieldsIn(fields)) {
        assert.match(name, snakeCase, `${path}: ${event}`);
        assert.ok(!vague.has(name), `${path}: ${event}: of what is ${name}?`);
      }
    }
  });

  it("exist, if the documentation lists them", () => {
    const readme = readFileSync(new URL("../../../src/http/README.md", import.meta.url), "utf8");
    const table = readme.slice(readme.indexOf("## Log events"), readme.indexOf("## Spans"));
    const listed = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z_.]+\.[a-z_.]+)`/g)].map(([, event = ""]) => event),
    );
    const text = readSources(["src"])
      .map((source) => source.text)
      .join("\n");
    assert.ok(listed.length > 25, `${listed.length} found`);
    for (const event of listed) {
      if (event !== "onError") assert.ok(text.includes(`"${event}"`), event);
    }
  });
});
