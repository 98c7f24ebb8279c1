import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { HostAnswer } from "../../../src/ports/guest_host.ts";
import { FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";
import { callerId, chunk, GuestWorld, selfId, textOf } from "../../fixtures/guest_world.ts";

const together = { overlaps: true };
const payload = new Uint8Array();

/** What the guest was answered, as the caller sees it. */
function told(answer: HostAnswer): { ok: Uint8Array } {
  const text = "ok" in answer ? "ok" : `${answer.error.code}: ${answer.error.message}`;
  return { ok: new TextEncoder().encode(text) };
}

describe("what a guest asks of the node", () => {
  it("is asked for the entry whose token it names, with its scope", async () => {
    const host = new FakeGuestHost(async ({ invocation: { token }, call }) =>
      told(
        await call({
          name: "call",
          token,
          target: { kind: "peer", id: callerId },
          routeKey: "r",
          payload,
        }),
      ),
    );
    const asked: string[] = [];
    const operations = async (call: { name: string; token: bigint }, scope: string) => {
      asked.push(`${call.name} ${call.token} ${scope}`);
      return { ok: undefined };
    };
    await using world = await new GuestWorld(host, { operations }).load();
    await Promise.all([world.ask("a", together), world.ask("b", together)]);
    assert.deepEqual(asked, ["call 1 r1", "call 2 r2"]);
  });

  it("[GD-13] is answered invalid_argument for a token that is unknown, retired or zero", async () => {
    const answers: HostAnswer[] = [];
    const script: Script = async ({ invocation: { token }, call }) => {
      for (const other of [token - 1n, token + 1n, 0n, -1n]) {
        answers.push(await call({ name: "discover", token: other, type: selfId.type }));
      }
      return { ok: payload };
    };
    const operations = (): never => assert.fail("the node was asked");
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host, { operations }).load();
    await world.ask("a");
    await world.ask("b");
    assert.equal(answers.length, 8);
    for (const answer of answers) {
      assert.ok("error" in answer && answer.error.code === "invalid_argument", String(answer));
    }
    assert.equal(host.instances.length, 1, "the instance lives on");
  });

  it("has tokens from 1 in every instance", async () => {
    const tokens: bigint[] = [];
    const host = new FakeGuestHost(({ entry, invocation }) => {
      tokens.push(invocation.token);
      if (textOf(entry) === "trap") throw new Error("trap");
      return { ok: payload };
    });
    await using world = await new GuestWorld(host).load();
    await world.ask("a");
    await assert.rejects(world.ask("trap"));
    await world.ask("b");
    assert.deepEqual(tokens, [1n, 2n, 1n]);
  });

  for (const [id, options] of [
    ["G-56", { overlaps: false }],
    ["G-57", together],
  ] as const) {
    it(`[${id}] goes through the live entry when a stream's callback uses the token that it captured`, async () => {
      let captured = 0n;
      const host = new FakeGuestHost(async ({ entry, invocation: { token }, call }) => {
        if (textOf(entry) === "register") {
          captured = token;
          return told(await call({ name: "register-stream", token, streamId: "s" }));
        }
        return told(await call({ name: "discover", token: captured, type: selfId.type }));
      });
      const scopes: string[] = [];
      const operations = (_: unknown, scope: string): HostAnswer => {
        scopes.push(scope);
        return { ok: undefined };
      };
      await using world = await new GuestWorld(host, { operations }).load();
      assert.equal(await world.ask("register", options), "ok");
      assert.match(await world.ask("other entry", options), /^invalid_argument/);
      const decoder = new TextDecoder();
      assert.equal(decoder.decode(await world.enter(chunk("s"))), "ok");
      assert.match(decoder.decode(await world.enter(chunk("other"))), /^invalid_argument/);
      assert.match(await world.ask("after the chunk", options), /^invalid_argument/);
      assert.deepEqual(scopes, ["r1", "hook:on-data-chunk"]);
    });
  }

  it("goes through no live entry for streams that were refused, or given back", async () => {
    let captured = 0n;
    const host = new FakeGuestHost(async ({ entry, invocation: { token }, call }) => {
      const asked = textOf(entry);
      if (asked === "") {
        return told(await call({ name: "discover", token: captured, type: selfId.type }));
      }
      const name = asked === "register" ? "register-stream" : "unregister-stream";
      if (asked === "register") captured = token;
      return told(await call({ name, token, streamId: "s" }));
    });
    let refuses = true;
    const operations = (): HostAnswer =>
      refuses ? { error: { code: "internal", message: "no" } } : { ok: undefined };
    await using world = await new GuestWorld(host, { operations }).load();
    const decoder = new TextDecoder();
    const take = async (): Promise<string> => decoder.decode(await world.enter(chunk("s")));
    assert.equal(await world.ask("register"), "internal: no");
    assert.match(await take(), /^invalid_argument/);
    refuses = false;
    assert.equal(await world.ask("register"), "ok");
    assert.equal(await take(), "ok");
    assert.equal(await world.ask("give back"), "ok");
    assert.match(await take(), /^invalid_argument/);
  });

  it("may not register a stream while a chunk is handled", async () => {
    const answers: string[] = [];
    const host = new FakeGuestHost(async ({ invocation: { token }, call }) => {
      const { ok } = told(await call({ name: "register-stream", token, streamId: "t" }));
      answers.push(new TextDecoder().decode(ok));
      return { ok };
    });
    await using world = await new GuestWorld(host).load();
    await world.enter(chunk("s"));
    await world.ask("a");
    assert.match(answers[0] ?? "", /^not_implemented/);
    assert.equal(answers[1], "ok");
    assert.deepEqual(world.log.levels("guest.call_refused"), ["error"]);
  });

  it("[GD-17] is answered at once where it would wait for itself", async () => {
    const host = new FakeGuestHost(async ({ entry, invocation: { token }, call }) => {
      const common = { token, routeKey: "r", payload };
      switch (textOf(entry)) {
        case "raw":
          return told(await call({ name: "call-raw", target: selfId, ...common }));
        case "peer":
          return told(
            await call({ name: "call", target: { kind: "peer", id: selfId }, ...common }),
          );
        case "tell":
          return told(await call({ name: "tell", target: { kind: "host" }, ...common }));
        case "tell itself":
          return told(await call({ name: "tell", target: { kind: "workload" }, ...common }));
        case "other":
          return told(
            await call({ name: "call", target: { kind: "peer", id: callerId }, ...common }),
          );
        default:
          return told(await call({ name: "call", target: { kind: "workload" }, ...common }));
      }
    });
    await using world = await new GuestWorld(host).load();
    for (const text of ["self", "raw", "peer"]) {
      assert.match(await world.ask(text), /^invalid_argument/, text);
    }
    for (const text of ["tell", "tell itself", "other"])
      assert.equal(await world.ask(text), "ok", text);
    assert.equal(
      await world.ask("self", together),
      "ok",
      "where entries overlap it is entered again",
    );
  });

  it("is refused when too many calls wait for an answer", async () => {
    const host = new FakeGuestHost(async ({ invocation: { token }, call }) => {
      const all = Array.from({ length: 5 }, () =>
        call({ name: "discover", token, type: selfId.type }),
      );
      const answers = await Promise.all(all);
      const refused = answers.filter((answer) => "error" in answer);
      return { ok: new TextEncoder().encode(String(refused.length)) };
    });
    const operations = async (): Promise<HostAnswer> => ({ ok: undefined });
    const options = { maxHostCalls: 3 };
    await using world = await new GuestWorld(host, { operations, options }).load();
    assert.equal(await world.ask("a"), "2");
    assert.equal(await world.ask("b"), "2", "they are free again");
  });

  it("is answered with the error of an operation that throws", async () => {
    const host = new FakeGuestHost(async ({ invocation: { token }, call }) =>
      told(await call({ name: "discover", token, type: selfId.type })),
    );
    for (const operations of [
      (): never => {
        throw new ActrError("permission_denied", "no");
      },
      () => Promise.reject(new ActrError("permission_denied", "no")),
    ]) {
      await using world = await new GuestWorld(host, { operations }).load();
      assert.equal(await world.ask("a"), "permission_denied: no");
    }
  });

  it("[GD-15] may log so many lines in a second, each so long; what is dropped is counted and told", async () => {
    const host = new FakeGuestHost(async ({ entry, invocation: { token }, call }) => {
      for (let i = 0; i < Number(textOf(entry)); i++) {
        await call({
          name: "log-message",
          token,
          level: i === 0 ? "warn" : "shout",
          message: "ä".repeat(5000),
        });
      }
      return { ok: payload };
    });
    await using world = await new GuestWorld(host).load();
    await world.ask("150");
    const lines = world.log.records.filter(({ event }) => event === "guest.log");
    assert.equal(lines.length, 100);
    assert.equal(String(lines[0]?.attributes["message"]).length, 4096, "8192 bytes");
    assert.deepEqual([lines[0]?.level, lines[1]?.level], ["warn", "info"]);
    assert.equal(lines[0]?.attributes["request_id"], "r1");
    assert.equal(world.runner.status().droppedLogLines, 50);
    await world.clock.advance(1000);
    await world.ask("2");
    const dropped = world.log.records.filter(({ event }) => event === "guest.log_dropped");
    assert.deepEqual(
      dropped.map(({ attributes }) => attributes),
      [{ lines: 50 }],
    );
  });
});

describe("what a guest is told", () => {
  const event = {
    source: { code: "internal", message: "x" },
    category: "handler-error",
    context: "",
    timestamp: { seconds: 0n, nanoseconds: 0 },
  } as const;

  it("[GD-16] loses the oldest of too many hooks, and each has a second", async () => {
    const host = new FakeGuestHost(({ entry }) =>
      entry.name === "on-signaling-connecting" ? new Promise(() => {}) : { ok: undefined },
    );
    const options = { maxQueuedHooks: 2 };
    await using world = await new GuestWorld(host, { options }).load();
    const hooks = [
      world.enter({ name: "on-signaling-connecting" }),
      world.enter({ name: "on-credential-renewed", event: { newExpiry: event.timestamp } }),
      world.enter({ name: "on-signaling-connected" }),
      world.enter({ name: "on-signaling-disconnected" }),
    ];
    const answer = world.ask("a");
    await world.clock.advance(1000);
    await Promise.all([...hooks, answer]);
    const names = host.instance.entered.map((entered) => entered.split(" ")[0]);
    assert.deepEqual(names, ["on-signaling-connected", "on-signaling-disconnected", "dispatch"]);
    const { droppedHooks, failedQuietly } = world.runner.status();
    assert.deepEqual([droppedHooks, failedQuietly], [1, 1]);
  });

  it("[GD-16] fails in a chunk's callback with a line of log, and a count", async () => {
    const error = { code: "internal", message: "bad chunk" } as const;
    await using world = await new GuestWorld(new FakeGuestHost(() => ({ error }))).load();
    await assert.rejects(world.enter(chunk("s")), /bad chunk/);
    assert.equal(world.runner.status().failedQuietly, 1);
    assert.deepEqual(world.log.levels("guest.entry_failed"), ["warn"]);
  });

  it("[GD-10] hears of errors, but of none while it handles one", async () => {
    const entered: string[] = [];
    const host = new FakeGuestHost(({ entry, instance }) => {
      entered.push(entry.name);
      if (instance === host.instances[0] && entry.name === "on-error") {
        void world.enter({ name: "on-error", event });
        throw new Error("on-error fails");
      }
      return { ok: undefined };
    });
    await using world = await new GuestWorld(host).load();
    const first = world.enter({ name: "on-error", event });
    const second = world.enter({ name: "on-error", event });
    assert.deepEqual(await Promise.all([first, second]), [undefined, undefined]);
    assert.deepEqual(entered, ["on-error"]);
    assert.equal(world.runner.status().droppedHooks, 2);
    await world.enter({ name: "on-error", event });
    assert.deepEqual(entered, ["on-error", "on-error"], "the next is told again");
  });
});
