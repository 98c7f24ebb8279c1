import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { available, background, unavailable } from "./network_support.ts";
import { type Side, WebRtcPair } from "./webrtc_pair.ts";

const limit = { timeout: 60_000 };
const cellular = (sequence: number) => available(sequence, { transports: ["cellular"] });
const wifi = (sequence: number) => available(sequence, { transports: ["wifi"] });
const longBackground = { kind: "reconnect", reason: "long_background" } as const;

/** 200 KiB, no part of which is like another. */
const large = Array.from({ length: 25_600 }, (_, n) => String(n).padStart(8, "0")).join("");

/** Index of the last fragment that leaves before the sender is paused. */
const pausedAfter = 1;

/** How a call ended, and how long it took, milliseconds. */
interface Ending {
  readonly outcome: string;
  readonly tookMs: number;
}

/** A large call whose sender pauses within it, while the network of one of the two changes. */
class LargeCall implements AsyncDisposable {
  readonly pair: WebRtcPair;
  readonly #caller: Side;
  #ending: Promise<Ending> | undefined;

  private constructor(pair: WebRtcPair, caller: Side) {
    this.pair = pair;
    this.#caller = caller;
  }

  static async begin(caller: Side, timeoutMs: number): Promise<LargeCall> {
    const call = new LargeCall(await WebRtcPair.open(), caller);
    await call.#begin(timeoutMs);
    return call;
  }

  /** Nothing passes between the two, nor do their signals; or everything again. */
  set outage(out: boolean) {
    this.pair.paths.open = !out;
    this.pair.forwards = !out;
  }

  /** The sender goes on. */
  resume(): void {
    this.pair.paths.lastFragment = Number.POSITIVE_INFINITY;
  }

  /** Lets time pass until the call has ended, by its reply or the code of its error; nothing of it is left then. */
  async ended(): Promise<Ending> {
    assert.ok(this.#ending);
    const ending = await this.pair.world.clock.through(this.#ending);
    for (const side of [0, 1] as const) assert.equal(this.pair.pendingOf(side), 0);
    return ending;
  }

  /** The same call once more succeeds in time. */
  async assertAgain(timeoutMs: number): Promise<void> {
    const { clock } = this.pair.world;
    const endsAt = clock.now() + timeoutMs;
    assert.equal(await this.pair.eventually(timeoutMs, this.#caller), true);
    const leftMs = endsAt - clock.now();
    assert.equal(await this.pair.call(large, { from: this.#caller, timeoutMs: leftMs }), large);
    for (const side of [0, 1] as const) assert.equal(this.pair.pendingOf(side), 0);
  }

  async #begin(timeoutMs: number): Promise<void> {
    const { pair } = this;
    const { clock } = pair.world;
    await pair.call("a", { from: this.#caller });
    pair.handled.length = 0;
    pair.paths.lastFragment = pausedAfter;
    const sent = this.#sent();
    const begunAt = clock.now();
    const end = (outcome: string): Ending => ({ outcome, tookMs: clock.now() - begunAt });
    this.#ending = pair
      .begin(large, { timeoutMs, from: this.#caller })
      .then(end, (error: unknown) => end(ActrError.from(error).code));
    await clock.settle();
    assert.equal(this.#sent() - sent, pausedAfter + 1, "the sender pauses within it");
    assert.deepEqual(pair.handled, []);
  }

  /** Messages that the caller's channel for calls has taken. */
  #sent(): number {
    const { channels } = this.pair.stacks[this.#caller].last;
    return channels.find(({ label }) => label === "RPC_RELIABLE")?.sent ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pair[Symbol.asyncDispose]();
  }
}

for (const mobile of [0, 1] as const) {
  for (const caller of [0, 1] as const) {
    const role = mobile === 0 ? "answered" : "offered";
    const from = caller === mobile ? "from" : "to";
    describe(`a large call ${from} the side that ${role}, whose network changes within it`, () => {
      it("[T-70] a. survives an outage of 1 s", limit, async () => {
        await using call = await LargeCall.begin(caller, 30_000);
        call.outage = true;
        await call.pair.world.clock.advance(1_000);
        call.outage = false;
        call.resume();
        const { outcome, tookMs } = await call.ended();
        assert.equal(outcome, large);
        assert.ok(tookMs <= 30_000, `${tookMs} ms`);
        assert.deepEqual(call.pair.handled, [large]);
      });

      it("[T-70] b. survives a change to a cellular network", limit, async () => {
        await using call = await LargeCall.begin(caller, 30_000);
        const [changed] = await call.pair.report(mobile, cellular(1));
        assert.equal(changed?.success, true);
        call.resume();
        const { outcome, tookMs } = await call.ended();
        assert.equal(outcome, large);
        assert.ok(tookMs <= 30_000, `${tookMs} ms`);
        assert.deepEqual(call.pair.handled, [large]);
      });

      it("[T-70] c. times out without a network; the next one succeeds", limit, async () => {
        await using call = await LargeCall.begin(caller, 2_000);
        call.outage = true;
        await call.pair.report(mobile, unavailable(1));
        const { outcome, tookMs } = await call.ended();
        assert.equal(outcome, "timed_out");
        assert.ok(tookMs <= 5_000, `${tookMs} ms`);
        call.outage = false;
        call.resume();
        await call.pair.report(mobile, longBackground, cellular(2));
        await call.assertAgain(25_000);
      });

      it("[T-70] d. ends after a short time in the background", limit, async () => {
        await using call = await LargeCall.begin(caller, 5_000);
        const { clock } = call.pair.world;
        const left = call.pair.report(mobile, background);
        await clock.advance(500);
        await left;
        await call.pair.report(mobile, available(1), wifi(2));
        call.resume();
        const { outcome, tookMs } = await call.ended();
        assert.equal(outcome, large);
        assert.ok(tookMs <= 8_000, `${tookMs} ms`);
        await call.assertAgain(30_000);
      });

      it("[T-70] e. ends when every connection is replaced", limit, async () => {
        await using call = await LargeCall.begin(caller, 8_000);
        const [replaced] = await call.pair.report(mobile, longBackground, wifi(1));
        assert.equal(replaced?.success, true);
        const { tookMs } = await call.ended();
        assert.ok(tookMs <= 12_000, `${tookMs} ms`);
        call.resume();
        await call.assertAgain(25_000);
      });
    });
  }
}

describe("a large chunk", () => {
  for (const from of [0, 1] as const) {
    const role = from === 0 ? "answered" : "offered";
    it(
      `[T-71] of the side that ${role} is not in doubt while its connection may heal, and once when its channel closes`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a", { from });
        const { streams } = pair.nodes[from].context;
        const payload = new TextEncoder().encode(large);
        await streams.send(pair.nodes[from === 0 ? 1 : 0].id, "file", { payload });
        pair.paths.open = false;
        await clock.advance(250);
        const { last } = pair.stacks[from];
        last.change("failed");
        await clock.advance(250);
        assert.deepEqual([pair.sent(0, "restart_request"), pair.sent(1, "restart")], [1, 1]);
        assert.equal(pair.errors[from].length, 0);
        last.channels.find(({ label }) => label === "STREAM_RELIABLE")?.end();
        await clock.advance(5_000);
        assert.equal(pair.errors[from].length, 1);
        const [notice] = pair.errors[from];
        assert.equal(notice?.category, "delivery_uncertain");
        const reason = "data channel closed";
        assert.deepEqual(notice?.facts, { stream_id: "file", session_id: "1", reason });
      },
    );
  }
});
