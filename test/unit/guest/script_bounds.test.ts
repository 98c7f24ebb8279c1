import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { parseError } from "../../../src/guest/script/answer_text.ts";
import { Meter } from "../../../src/guest/script/budget.ts";
import { MalformedCall, parseCall } from "../../../src/guest/script/call_text.ts";
import { cappedMemory, leastMemoryBytes } from "../../../src/guest/script/capped_memory.ts";
import { natives } from "../../../src/guest/script/natives.ts";
import { ScriptEntries } from "../../../src/guest/script/script_entries.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { faultMessage, load, RunningScript } from "./script_support.ts";

const pageBytes = 65_536;
const tell = '{"name":"tell","token":"1","target":{"kind":"host"},"routeKey":"r"}';

/** Entries with one that runs, whose calls may keep `mostBytes`. */
function running(mostBytes: number): ScriptEntries {
  const entries = new ScriptEntries(mostBytes);
  const budget = { fuel: 1, busyMs: 1 };
  entries.current = entries.open({ token: 1n, budget, resolve() {}, reject() {} });
  return entries;
}

/** Whether the next call is asked of the node. */
function isAsked(entries: ScriptEntries): boolean {
  const call = entries.next()?.call;
  return call !== undefined && !("refused" in call);
}

describe("what a script asks", () => {
  it("waits in the room that its guest has, which is free again when it is answered", () => {
    const entries = running(tell.length + 10);
    const ask = (bytes: number): void => entries.ask(1, tell, new Uint8Array(bytes));
    ask(10);
    const first = entries.next();
    assert.ok(first !== undefined && !("refused" in first.call));
    ask(0);
    assert.equal(isAsked(entries), false, "one byte more is too much");
    entries.answered(first);
    ask(11);
    assert.equal(isAsked(entries), false);
    ask(10);
    assert.equal(isAsked(entries), true);
  });

  it("is a thousand calls at once, and as many again when they are answered", () => {
    const entries = running(2 ** 30);
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 1_024; count++) entries.ask(1, tell, undefined);
      const asked = Array.from({ length: 1_024 }, () => entries.next());
      assert.ok(asked.every((one) => one !== undefined && !("refused" in one.call)));
      entries.ask(1, tell, undefined);
      const refused = entries.next();
      assert.ok(refused !== undefined && "refused" in refused.call);
      for (const one of [...asked, refused]) if (one !== undefined) entries.answered(one);
    }
  });

  it("is asked no more when its instance has ended", () => {
    const entries = running(2 ** 20);
    entries.ask(1, tell, undefined);
    entries.end(new Error("trap"), new Error("gone"));
    assert.equal(entries.next(), undefined);
  });

  it("has names of up to 16,384 characters, 1,024 metadata, and realms of 32 bits", () => {
    const key = (length: number): unknown =>
      parseCall(tell.replace('"r"', JSON.stringify("x".repeat(length))));
    key(16_384);
    assert.throws(() => key(16_385), MalformedCall);
    const withMetadata = (count: number): unknown => {
      const metadata = new Array(count).fill(["k", "v"]);
      const chunk = { streamId: "s", sequence: "1", metadata };
      const target = { kind: "host" };
      const payloadType = "stream-reliable";
      const call = { name: "send-data-chunk", token: "1", target, payloadType, chunk };
      return parseCall(JSON.stringify(call));
    };
    withMetadata(1_024);
    assert.throws(() => withMetadata(1_025), MalformedCall);
    const inRealm = (realm: unknown): unknown => {
      const target = { kind: "peer", id: [realm, "1", "acme", "Echo", "1"] };
      return parseCall(JSON.stringify({ name: "tell", token: "1", target, routeKey: "r" }));
    };
    inRealm(2 ** 32 - 1);
    for (const realm of [2 ** 32, -1, 1.5, "1"]) {
      assert.throws(() => inRealm(realm), MalformedCall, String(realm));
    }
  });

  it("is answered for as long as the guest asks, without a stack that grows", async () => {
    const script = await RunningScript.dispatching(
      "return (async () => { for (let i = 0; i < 2_000; i++) await context.registerStream('s') })()",
      { limits: { fuel: 50_000_000 } },
    );
    assert.deepEqual(await script.dispatch(), { ok: new Uint8Array() });
    assert.equal(script.calls.length, 2_000);
  });
});

describe("what a script may use", () => {
  it("is time of running, over all that its entry causes", () => {
    let now = 1_000;
    const meter = new Meter({ monotonic: () => now } as Clock, { value: 0 });
    const budget = { fuel: 100, busyMs: 500 };
    const isOverAfter = (ms: number): boolean =>
      meter.run(budget, () => {
        now += ms;
        return meter.isOver();
      });
    assert.equal(isOverAfter(300), false);
    now += 10_000;
    assert.equal(isOverAfter(200), false, "waiting is no running");
    assert.equal(isOverAfter(1), true);
    assert.equal(meter.late, true);
  });

  it("is less by what its host does for it: for each call, and for what that carries", () => {
    const counter = { value: 0 };
    const meter = new Meter(new FakeClock(), counter);
    const replied: number[] = [];
    const calls = { reply: (entry: number) => void replied.push(entry) };
    const vm = { argument: () => 0, readNumber: () => 7, readBytes: () => new Uint8Array(400) };
    const [reply] = natives;
    const budget = { fuel: 10_000, busyMs: 1_000 };
    meter.run(budget, () => reply?.({ vm, meter, calls } as never, 0, 2));
    assert.deepEqual([budget.fuel, replied], [10_000 - 4_000 - 100, [7]]);
  });

  it("is memory up to its limit: only what is refused three times in a row was wanted", () => {
    const capped = cappedMemory(leastMemoryBytes + pageBytes);
    const refused = (): void => assert.throws(() => capped.memory.grow(2));
    refused();
    refused();
    capped.memory.grow(1);
    refused();
    refused();
    assert.equal(capped.exceeded, false);
    refused();
    assert.equal(capped.exceeded, true);
  });

  it("has to be 16 MiB of memory", async () => {
    const source = "defineWorkload({ dispatch() {} })";
    await load(source, { limits: { memoryBytes: leastMemoryBytes } });
    const less = load(source, { limits: { memoryBytes: leastMemoryBytes - 1 } });
    await faultMessage(less, "resource_limit");
  });
});

describe("what a script throws", () => {
  it("has a case of its world, whatever it says", () => {
    const unknown = { code: "internal", message: "" };
    for (const said of [{ code: "root" }, { code: 7, message: 8 }, {}, []]) {
      assert.deepEqual(parseError(JSON.stringify(said)), unknown);
    }
    const missing = { code: "dependency_not_found", message: "m", service: 5, retryAfterMs: 5 };
    assert.deepEqual(parseError(JSON.stringify(missing)), {
      code: "dependency_not_found",
      message: "m",
      service: "",
    });
  });
});
