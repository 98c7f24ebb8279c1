import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { faultOf } from "../../../src/guest/fault.ts";
import { bytesOf, LateAnswers } from "../../conformance/guest_world.ts";
import { rejectsWith } from "../../fixtures/guests/fails_by.ts";
import { inlineGuest } from "../../fixtures/guests/inline_guest.ts";
import { callPayload, probeModes, u32s, u64 } from "../../fixtures/guests/probe_guest.ts";

/** A module of one function, whose body is `block try_table catch_all 0 end end`. */
const tryTable = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
  ...[10, 13, 1, 11, 0, 0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x0b, 0x0b, 0x0b],
);

describe("a component that breaks a rule", () => {
  const broken: [string, string, Uint8Array, RegExp][] = [
    ["returns twice", "twice", new Uint8Array(), /dispatch returns twice/],
    ["exits without a result", "mute", new Uint8Array(), /dispatch exits without a result/],
    ["wants something unknown next", "bad-code", u32s(3), /3 is no code/],
    ["exits and wants more", "bad-code", u32s(16), /16 is no code/],
    ["waits on a set that is not its own", "bad-code", u32s(2 | (7 << 4)), /7 is not a set/],
    ["waits on nothing", "bad-code", u32s(2), /0 is not a set/],
    ["returns bytes outside of its memory", "wild", u32s(0xffff_fff0, 0x20), /outside/],
    ["returns more bytes than it has", "wild", u32s(0, 0xffff_ffff), /outside/],
    ["joins what is no call", "join", u32s(9, 0), /9 is not a call/],
    ["hands over text that is no UTF-8", "bad-text", Uint8Array.of(0xc3, 0x28), /not UTF-8/],
    ["hands over half a surrogate", "bad-text", Uint8Array.of(0xed, 0xa0, 0x80), /not UTF-8/],
  ];
  for (const [what, route, payload, text] of broken) {
    it(`ends: it ${what}`, async () => {
      await using world = await inlineGuest("probe");
      const probe = await world.instance();
      await rejectsWith(probe.dispatch(route, payload), "trapped", text);
      assert.equal(world.calls.length, 0);
      assert.equal(probe.instance.memoryBytes, 0);
    });
  }

  it("keeps what it does to itself, wherever its pointers point", async () => {
    await using world = await inlineGuest("probe");
    const random = new SeededRandom(8);
    let probe = await world.instance();
    for (let run = 0; run < 100; run++) {
      const [place, length] = [random.next() * 2 ** 32, random.next() * 2 ** random.next() * 32];
      const outcome = await probe.dispatch("wild", u32s(place, length)).catch(faultOf);
      if (typeof outcome === "object") {
        assert.ok("ok" in outcome);
      } else {
        assert.equal(outcome, "trapped");
        probe = await world.instance();
      }
    }
  });
});

describe("entries of one component", () => {
  it("[G-79] have fuel of their own, whatever others run meanwhile", async () => {
    await using world = await inlineGuest("probe", { fuel: 20_000 });
    const answers = new LateAnswers();
    world.answer = answers.ask;
    const probe = await world.instance();
    const long = probe.dispatch("chain", callPayload("r", Uint8Array.of(200)));
    const ended = rejectsWith(long, "out_of_fuel", /fuel/);
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    for (let round = 0; round < 200 && !isOver; round++) {
      const shortOne = await probe.dispatch("count").catch(() => undefined);
      assert.deepEqual(shortOne, { ok: u64(BigInt(round + 1)) });
      answers.give({ ok: new Uint8Array() });
      await new Promise((resolve) => setTimeout(resolve));
    }
    await ended;
    assert.ok(world.calls.length < 30, `${world.calls.length} calls`);
  });

  it("begin after the guest has left, when a call of the node enters it again", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    const inner: Promise<unknown>[] = [];
    world.answer = () => {
      inner.push(probe.dispatch("count"));
      return { ok: bytesOf("outer") };
    };
    assert.deepEqual(await probe.dispatch("call", callPayload("r")), { ok: bytesOf("outer") });
    assert.deepEqual(await Promise.all(inner), [{ ok: u64(1n) }]);
  });

  it("end with their instance when it is discarded by a call of the node", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    world.answer = () => {
      probe.instance.discard();
      return { ok: new Uint8Array() };
    };
    const entered = probe.dispatch("chain", callPayload("r", Uint8Array.of(5)));
    await rejectsWith(entered, "discarded", /was discarded/);
    assert.equal(world.calls.length, 1);
  });

  it("wait while the guest wants to be left alone", async () => {
    await using world = await inlineGuest("probe");
    const answers = new LateAnswers();
    world.answer = answers.ask;
    const probe = await world.instance();
    const order: string[] = [];
    const held = probe.dispatch("hold", callPayload("r")).then(() => order.push("held"));
    const other = probe.dispatch("count").then(() => order.push("other"));
    await answers.arrived(1);
    answers.give({ ok: new Uint8Array() });
    await Promise.all([held, other]);
    assert.deepEqual(order, ["held", "other"]);
  });

  it("give calls up, or look for their end", async () => {
    await using world = await inlineGuest("probe");
    const answers = new LateAnswers();
    world.answer = answers.ask;
    const probe = await world.instance();
    assert.deepEqual(await probe.dispatch("cancel", callPayload("r")), { ok: u32s(4) });
    answers.give({ ok: bytesOf("too late") });
    const polling = probe.dispatch("poll", callPayload("r"));
    answers.give({ ok: bytesOf("found") });
    assert.deepEqual(await polling, { ok: bytesOf("found") });
  });

  it("hold no more of the node's memory than their guest may have", async () => {
    await using world = await inlineGuest("probe", { memoryBytes: 1 << 20 });
    world.answer = () => new Promise(() => {});
    const probe = await world.instance();
    const payload = callPayload("r", new Uint8Array(100_000));
    const flood = probe.dispatch("call-flood", payload);
    await rejectsWith(flood, "resource_limit", /calls in flight/);
    assert.ok(world.calls.length < 12, `${world.calls.length} calls`);
  });

  it("end when they wait under a mode, only by their host", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    await probe.dispatch("mode", Uint8Array.of(probeModes.never));
    const stopping = probe.enter({ name: "on-stop" });
    assert.ok("ok" in (await probe.dispatch("count")));
    probe.instance.discard();
    await rejectsWith(stopping, "discarded", /discarded/);
  });

  it("tell a mode's failure as their own error", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    await probe.dispatch("mode", Uint8Array.of(probeModes.fail));
    const error = { code: "internal", message: "mode" };
    assert.deepEqual(await probe.enter({ name: "on-ready" }), { error });
  });
});

describe("a component that catches exceptions", () => {
  it("does not survive what a rule throws", async (test) => {
    if (!WebAssembly.validate(tryTable)) return test.skip("this runtime has no try_table");
    await using world = await inlineGuest("catcher");
    const guest = await world.instance();
    await rejectsWith(guest.dispatch("any"), "trapped", /dispatch returns twice/);
  });
});
