import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../src/actor.ts";
import type { LogLevel } from "../../../src/ports/logger.ts";
import { failureOf, type LogLine, Rig } from "./support.ts";

const counter = actor({
  state: () => ({ count: 0 }),
  actions: {
    add(c, by: number) {
      if (by < 0) throw new TypeError("it only goes up");
      c.state.count += by;
      return c.state.count;
    },
    later: (c) => c.schedule.after(1000, "add", 1),
  },
  onRequest: () => new Response("hello"),
});

/** What the log tells of steps: level, event, and the facts that matter. */
function steps(lines: readonly LogLine[]): string[] {
  return lines
    .filter(({ event }) => /^actor\.(lifecycle|dispatch|event)_/.test(event))
    .map(({ level, event, attributes: a }) => {
      const facts = [a["command"] ?? a["event"], a["action"] ?? a["reason"], a["outcome"]];
      const what = facts.filter((fact) => fact !== undefined).join(" ");
      return `${level} ${event.replace("actor.", "")} ${what}`;
    });
}

describe("the steps of a command", () => {
  it("[H-36] are told at debug level: of the actor's life, of the call, of its turn, of the save", async () => {
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "add", 1);
    assert.deepEqual(steps(rig.lines), [
      "debug lifecycle_received start",
      "debug lifecycle_drained save_requested",
      "debug lifecycle_replied start ok",
      "debug dispatch_received action add",
      "debug event_enqueued action add",
      "debug event_drained action add",
      "debug lifecycle_drained save_requested",
      "debug dispatch_handled action add ok",
    ]);
    const ids = new Set(rig.lines.map(({ attributes }) => attributes["actor_id"]));
    assert.deepEqual([...ids], [(await rig.instance("counter", "a")).id]);
    await rig.close();
  });

  it("are told of a sleep that the actor asks for, and of a schedule that is due", async () => {
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "later");
    rig.lines.length = 0;
    await rig.clock.advance(31_000);
    const told = steps(rig.lines);
    const fire = told.indexOf("debug lifecycle_received fire_alarm");
    assert.ok(fire >= 0 && told.indexOf("debug lifecycle_replied fire_alarm ok") > fire);
    assert.deepEqual(told.slice(-3), [
      "debug lifecycle_drained sleep_tick",
      "debug lifecycle_received stop sleep",
      "debug lifecycle_replied stop sleep ok",
    ]);
    await rig.close();
  });

  it("say why a call failed, or was refused", async () => {
    const rig = new Rig({ counter });
    await failureOf(rig.act("counter", "a", "add", -1));
    await failureOf(rig.act("counter", "a", "none"));
    const handled = rig.logged("actor.dispatch_handled").map(({ attributes }) => attributes);
    assert.deepEqual(
      handled.map((facts) => [facts["action"], facts["outcome"], facts["error_code"]]),
      [
        ["add", "error", "internal"],
        ["none", "error", "actor.action_not_found"],
      ],
    );
    await rig.close();
  });

  it("cost a question each, and no line, where nobody debugs", async () => {
    const rig = new Rig({ counter });
    const asked: LogLevel[] = [];
    const { log } = rig.host.components;
    log.enabled = (level) => {
      asked.push(level);
      return level !== "debug";
    };
    log.debug = () => {
      throw new TypeError("nobody reads this");
    };
    await rig.act("counter", "a", "add", 1);
    assert.deepEqual(steps(rig.lines), []);
    const before = asked.length;
    await rig.act("counter", "a", "add", 1);
    // Received, enqueued, drained, saved, handled.
    assert.equal(asked.length - before, 5);
    await rig.close();
  });
});
