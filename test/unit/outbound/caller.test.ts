import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, errorCodes, errorFacts } from "../../../src/errors.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import { retryPolicy } from "../../../src/outbound/retry.ts";
import { directions } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { FakeLink, peerId } from "../session/support.ts";
import { calling, echoing, envelopes, respond, timersLeft } from "./support.ts";

const far = peerId(2);
const route = "acme.Echo.Echo";
const bytes = Uint8Array.of(1, 2, 3);
const lost = new ActrError("unavailable", "the link broke");

describe("caller: one call", () => {
  it("[N-58] puts one request on the wire and resolves with the payload of its answer", async () => {
    const world = calling();
    echoing(world);
    assert.deepEqual(await world.caller.call(far, route, bytes), bytes);
    const [request, ...more] = envelopes(world.transport.link);
    assert.deepEqual(more, []);
    assert.equal(request?.routeKey, route);
    assert.equal(request?.direction, directions.request);
    assert.equal(request?.timeoutMs, 30_000);
    assert.match(request?.requestId ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    assert.equal(world.pending.size, 0);
    await world.clock.advance(60_000);
    assert.equal(world.transport.link.sent.length, 1);
    assert.equal(timersLeft(world), 0);
  });

  it("[N-56] [T-63] takes the first answer and drops a second", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    const [request] = envelopes(link);
    respond(link, request, { payload: Uint8Array.of(1) });
    respond(link, request, { payload: Uint8Array.of(2) });
    assert.deepEqual(await call, Uint8Array.of(1));
    await world.clock.settle();
    assert.equal(world.orphans, 1);
    assert.equal(world.pending.size, 0);
  });

  it("[T-61] fails at once for a peer that nobody knows, and sends nothing", async () => {
    const world = calling();
    world.urls.set(formatActrId(far), "nowhere");
    const before = world.clock.now();
    const call = world.caller.call(far, route, bytes, { timeoutMs: 5_000 });
    await assert.rejects(call, { code: "unavailable", details: { reason: "no_route" } });
    assert.equal(world.clock.now(), before);
    assert.equal(world.pending.size, 0);
    assert.deepEqual(world.asked, [false, true], "once more, in case it has moved");
    assert.equal(world.transport.dials.length, 0);
    assert.equal(timersLeft(world), 0);
  });

  it("waits for a peer that it has reached before, under the same request id", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const first = world.transport.link;
    world.urls.set(formatActrId(far), "nowhere");
    first.end();
    await world.clock.advance(1_000);
    world.urls.delete(formatActrId(far));
    echoing(world);
    await world.clock.advance(2_000);
    assert.deepEqual(await call, bytes);
    assert.notEqual(world.transport.link, first);
    assert.equal(envelopes(first)[0]?.requestId, envelopes(world.transport.link)[0]?.requestId);
  });

  it("[ND-25] is not answered by another peer", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const [request] = envelopes(world.transport.link);
    const stranger = new FakeLink(peerId(3), "inbound");
    world.manager.accept(stranger);
    respond(stranger, request, { payload: Uint8Array.of(66) });
    await world.clock.settle();
    assert.equal(world.orphans, 1);
    respond(world.transport.link, request, { payload: Uint8Array.of(1) });
    assert.deepEqual(await call, Uint8Array.of(1));
  });

  for (const answer of [{}, { payload: bytes, error: { code: 10003, message: "both" } }]) {
    it(`[T-65] calls an answer with ${"payload" in answer ? "both payload and error" : "neither payload nor error"} undecodable`, async () => {
      const world = calling();
      const call = world.caller.call(far, route, bytes);
      await world.clock.settle();
      const { link } = world.transport;
      respond(link, envelopes(link)[0], answer);
      await assert.rejects(call, { code: "decode_failure" });
      assert.equal(world.pending.size, 0);
    });
  }

  it("[T-65] rejects with the error that the peer answered, under its own code", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    respond(link, envelopes(link)[0], { error: { code: 10006, message: "unknown route: x" } });
    await assert.rejects(call, { code: "unknown_route", message: "x" });
    assert.equal(link.sent.length, 1);
  });

  it("[N-59] [T-51] a tell waits for no answer and creates no entry", async () => {
    const world = calling();
    const told = world.caller.tell(far, route, bytes);
    assert.equal(world.pending.size, 0);
    await told;
    assert.equal(world.pending.size, 0);
    const [envelope] = envelopes(world.transport.link);
    assert.equal(envelope?.direction, directions.tell);
    assert.equal(timersLeft(world), 0);
  });

  it("[N-78] refuses bad deadlines and payload types before anything is sent", async () => {
    const world = calling();
    const { caller } = world;
    const misuse = { code: "invalid_argument" };
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(caller.call(far, route, bytes, { timeoutMs }), misuse);
    for (const payloadType of [lanes.streamReliable, lanes.streamLatencyFirst, lanes.media]) {
      await assert.rejects(caller.call(far, route, bytes, { payloadType }), misuse);
      await assert.rejects(caller.tell(far, route, bytes, { payloadType }), misuse);
    }
    assert.equal(world.transport.dials.length, 0);
    assert.equal(world.pending.size, 0);
    await caller.tell(far, route, bytes, { payloadType: lanes.rpcSignal });
    const [frame] = world.transport.link.sent;
    const [envelope] = envelopes(world.transport.link);
    assert.equal(frame?.lane, lanes.rpcSignal);
    assert.deepEqual([envelope?.direction, envelope?.timeoutMs], [directions.tell, 0]);
  });

  it("[N-65] [T-6] waits for a slow dial that all share, and sends each message once", async () => {
    const world = calling();
    const { clock, transport } = world;
    echoing(world);
    const { onDial } = transport;
    transport.onDial = async (address, options) => {
      await clock.sleep(1_500, options);
      return await onDial(address, options);
    };
    const calls = Array.from({ length: 10 }, (_, n) =>
      world.caller.call(far, route, Uint8Array.of(n)),
    );
    await clock.advance(1_500);
    assert.deepEqual(
      (await Promise.all(calls)).map((payload) => payload[0]),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(transport.dials.length, 1);
    assert.equal(transport.link.sent.length, 10);
    assert.equal(new Set(envelopes(transport.link).map((each) => each.requestId)).size, 10);
  });

  it("refuses the call that is one too many, before it is sent", async () => {
    const world = calling({ maxPending: 1 });
    const first = world.caller.call(far, route, bytes);
    await assert.rejects(world.caller.call(far, route, bytes), { code: "overloaded" });
    await world.clock.settle();
    const { link } = world.transport;
    assert.equal(link.sent.length, 1);
    respond(link, envelopes(link)[0], { payload: bytes });
    await first;
  });
});

describe("caller: retries", () => {
  it("[N-60] [T-52] tries by lane: reliable 5 times, signal twice, streams and media once", () => {
    const { outbound } = defaultNodeOptions;
    const attempts = Object.values(lanes).map((lane) => retryPolicy(lane, outbound).attempts);
    assert.deepEqual(attempts, [5, 2, 1, 1, 1]);
  });

  it("[N-61] tries the signal lane twice, half a second apart", async () => {
    const world = calling();
    const at = sendTimes(world, Array(9).fill(lost));
    const call = world.caller.call(far, route, bytes, { payloadType: lanes.rpcSignal });
    const failed = assert.rejects(call, { code: "unavailable" });
    await world.clock.advance(30_000);
    await failed;
    assert.deepEqual(at, [0, 500]);
  });

  it("[N-62] [T-54] tries the reliable lane after 1 s and 2 s, and a client's mistake once", async () => {
    const reliable = calling();
    const at = sendTimes(reliable, [lost, lost]);
    const call = reliable.caller.call(far, route, bytes);
    await reliable.clock.advance(3_000);
    const { link } = reliable.transport;
    assert.deepEqual(at, [0, 1_000, 3_000]);
    assert.equal(new Set(envelopes(link).map((each) => each.requestId)).size, 1);
    respond(link, envelopes(link).at(-1), { payload: bytes });
    assert.deepEqual(await call, bytes);

    const signal = calling();
    const signalAt = sendTimes(signal, [lost, lost]);
    const signalling = signal.caller.call(far, route, bytes, { payloadType: lanes.rpcSignal });
    const failed = assert.rejects(signalling, { code: "unavailable" });
    await signal.clock.advance(500);
    await failed;
    assert.deepEqual(signalAt, [0, 500]);

    const misled = calling();
    const misledAt = sendTimes(misled, [new ActrError("config", "wrong")]);
    await assert.rejects(misled.caller.call(far, route, bytes), { code: "config" });
    assert.deepEqual(misledAt, [0]);
  });

  it("[N-63] [N-68] [T-61] fails at once, after one try, for an error that no retry mends", async () => {
    for (const code of ["permission_denied", "invalid_argument", "not_found"] as const) {
      const world = calling();
      const at = sendTimes(world, [new ActrError(code, "no")]);
      const before = world.clock.now();
      await assert.rejects(world.caller.call(far, route, bytes, { timeoutMs: 5_000 }), { code });
      assert.deepEqual(at, [0]);
      assert.equal(world.clock.now(), before);
      assert.equal(world.pending.size, 0);
      await world.clock.advance(30_000);
      assert.deepEqual(at, [0]);
    }
  });

  it("[N-64] [T-53] retries every retryable kind once under the same id on the same link, and no other", async () => {
    for (const code of errorCodes) {
      const world = calling();
      const at = sendTimes(world, [new ActrError(code, "first")]);
      const call = world.caller.call(far, route, bytes, { payloadType: lanes.rpcSignal });
      // This node's own stop is transient for others only.
      if (errorFacts(code).kind !== "transient" || code === "stopping") {
        await assert.rejects(call, { code });
        assert.deepEqual(at, [0], code);
        continue;
      }
      await world.clock.advance(500);
      assert.deepEqual(at, [0, 500], code);
      const { link, dials } = world.transport;
      const [first, second] = envelopes(link);
      assert.equal(first?.requestId, second?.requestId);
      assert.deepEqual(link.sent[0], link.sent[1], "the same bytes");
      assert.equal(dials.length, 1);
      respond(link, second, { payload: bytes });
      assert.deepEqual(await call, bytes);
    }
  });

  it("retries after what the peer answered, honouring its hint", async () => {
    const world = calling();
    const at = sendTimes(world, []);
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    const busy = { code: 10001, message: "unavailable: overloaded; retry_after_ms=Some(50)" };
    respond(link, envelopes(link)[0], { error: busy });
    await world.clock.advance(50);
    assert.deepEqual(at, [0, 50]);
    respond(link, envelopes(link)[1], { payload: bytes });
    assert.deepEqual(await call, bytes);
    assert.equal(timersLeft(world), 0);
  });

  it("[N-74] does not begin a pause that would outlast the deadline", async () => {
    const world = calling();
    const at = sendTimes(world, Array(9).fill(lost));
    const call = world.caller.call(far, route, bytes, { timeoutMs: 2_500 });
    const failed = assert.rejects(call, { code: "unavailable" });
    await world.clock.advance(1_000);
    await failed;
    assert.deepEqual(at, [0, 1_000]);
    assert.equal(world.pending.size, 0);
    assert.equal(timersLeft(world), 0);
  });

  it("sends again on a new link when the one that carried the request is lost", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const first = world.transport.link;
    first.end();
    await world.clock.advance(1_000);
    assert.equal(world.transport.dials.length, 2);
    const second = world.transport.link;
    assert.deepEqual(first.sent, second.sent);
    respond(second, envelopes(second)[0], { payload: bytes });
    assert.deepEqual(await call, bytes);
  });

  it("retries a dial that failed", async () => {
    const world = calling();
    echoing(world);
    const { onDial } = world.transport;
    let refused = 0;
    world.transport.onDial = async (address, options) => {
      if (refused++ < 2) throw new ActrError("unavailable", "refused");
      return await onDial(address, options);
    };
    const call = world.caller.call(far, route, bytes);
    await world.clock.advance(3_000);
    assert.deepEqual(await call, bytes);
    assert.equal(world.transport.dials.length, 3);
  });

  it("a tell lets others have their turn, however fast the link takes what is told", async () => {
    const { caller, clock } = calling();
    await caller.tell(far, route, bytes);
    let told = 0;
    const telling = (async () => {
      for (; told < 5_000; told++) await caller.tell(far, route, bytes);
    })();
    const seen = await new Promise<number>((resolve) => clock.defer(() => resolve(told)));
    assert.ok(seen > 0 && seen < 2_048, `${seen} messages in one turn`);
    await telling;
    assert.equal(told, 5_000);
  });

  it("a tell is tried again within its budget", async () => {
    const world = calling();
    const at = sendTimes(world, [lost, lost]);
    const told = world.caller.tell(far, route, bytes);
    await world.clock.advance(3_000);
    await told;
    assert.deepEqual(at, [0, 1_000, 3_000]);
    const [first, , third] = envelopes(world.transport.link);
    assert.equal(first?.requestId, third?.requestId);
    const never = calling();
    const neverAt = sendTimes(never, Array(9).fill(lost));
    const failed = assert.rejects(never.caller.tell(far, route, bytes), { code: "unavailable" });
    await never.clock.advance(13_000);
    await failed;
    assert.deepEqual(neverAt, [0, 1_000, 3_000, 7_000, 12_000]);
    assert.equal(timersLeft(never), 0);
  });
});

describe("caller: ends", () => {
  it("times out at the deadline, not before, and frees its entry", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes, { timeoutMs: 1_000 });
    let ended = false;
    const failed = assert.rejects(call, (error) => {
      ended = true;
      assert.ok(ActrError.is(error));
      assert.equal(error.code, "timed_out");
      return true;
    });
    await world.clock.advance(999);
    assert.equal(ended, false);
    await world.clock.advance(9);
    await failed;
    assert.equal(world.pending.size, 0);
    assert.equal(timersLeft(world), 0);
  });

  it("[T-48] ends at its own deadline in an outage, though its tries would take longer", async () => {
    const outages = {
      "a link that brings nothing": () => {},
      "a dial that leads nowhere": (world: ReturnType<typeof calling>) => {
        world.transport.onDial = () => new Promise(() => {});
      },
    };
    for (const [outage, begin] of Object.entries(outages)) {
      const world = calling();
      begin(world);
      const call = world.caller.call(far, route, bytes, { timeoutMs: 3_000 });
      let endedAt: number | undefined;
      const failed = assert.rejects(call, { code: "timed_out" }).finally(() => {
        endedAt = world.clock.monotonic();
      });
      await world.clock.advance(2_999);
      assert.equal(endedAt, undefined, outage);
      await world.clock.advance(2_001);
      await failed;
      assert.ok(endedAt !== undefined && endedAt >= 3_000 && endedAt <= 5_000, outage);
      assert.equal(world.pending.size, 0);
    }
  });

  it("[N-66] [T-63] drops the late answer of a call that timed out; the next call gets its own", async () => {
    const world = calling();
    const first = world.caller.call(far, route, bytes, { timeoutMs: 100 });
    const failed = assert.rejects(first, { code: "timed_out" });
    await world.clock.settle();
    const { link } = world.transport;
    const [only] = envelopes(link);
    respond(link, only && { ...only, requestId: "another" }, { payload: bytes });
    await world.clock.advance(110);
    await failed;
    assert.equal(link.closedWith, undefined, "it has shown that it lives");
    world.orphans = 0;
    const second = world.caller.call(far, route, bytes, { timeoutMs: 1_000 });
    await world.clock.settle();
    const [old, young] = envelopes(link);
    assert.notEqual(old?.requestId, young?.requestId);
    respond(link, old, { payload: Uint8Array.of(66) });
    await world.clock.settle();
    assert.equal(world.orphans, 1);
    assert.equal(world.pending.size, 1);
    respond(link, young, { payload: Uint8Array.of(1) });
    assert.deepEqual(await second, Uint8Array.of(1));
    assert.equal(world.pending.size, 0);
  });

  it("[N-67] closes a link that is silent since the request was sent; the next call finds another", async () => {
    const world = calling();
    const first = world.caller.call(far, route, bytes, { timeoutMs: 1_000 });
    const failed = assert.rejects(first, { code: "timed_out" });
    await world.clock.settle();
    const silent = world.transport.link;
    const beside = world.caller.call(far, route, bytes);
    const other = world.caller.call(peerId(3), route, bytes);
    await world.clock.settle();
    const theirs = world.transport.link;
    await world.clock.advance(1_008);
    await failed;
    assert.equal(silent.closedWith?.by, "local");
    assert.deepEqual(silent.closeOptions, { withinMs: 0 }, "it takes nothing more while it closes");
    assert.equal(theirs.closedWith, undefined, "another peer's is not touched");
    respond(theirs, envelopes(theirs)[0], { payload: bytes });
    await other;
    await world.clock.advance(1_000);
    const { link } = world.transport;
    assert.notEqual(link, silent);
    assert.equal(envelopes(link)[0]?.requestId, envelopes(silent)[1]?.requestId);
    respond(link, envelopes(link)[0], { payload: Uint8Array.of(1) });
    assert.deepEqual(await beside, Uint8Array.of(1), "what it carried is sent again");
  });

  it("[N-67] [T-58] leaves alone the link that has come in place of the one that it was sent on", async () => {
    const world = calling();
    const first = world.caller.call(far, route, bytes, { timeoutMs: 1_000 });
    const failed = assert.rejects(first, { code: "timed_out" });
    await world.clock.settle();
    const before = world.transport.link;
    const replacement = new FakeLink(far);
    world.manager.accept(replacement);
    await world.clock.advance(1_008);
    await failed;
    assert.equal(before.closedWith?.by, "local");
    assert.equal(replacement.closedWith, undefined);
    const second = world.caller.call(far, route, bytes);
    await world.clock.settle();
    assert.equal(world.transport.dials.length, 1, "the replacement serves on");
    respond(replacement, envelopes(replacement)[0], { payload: bytes });
    assert.deepEqual(await second, bytes);
    assert.equal(world.pending.size, 0);
  });

  it("[N-67] keeps a link on which anything has arrived meanwhile: one slow handler is no dead peer", async () => {
    const world = calling();
    const slow = world.caller.call(far, route, bytes, { timeoutMs: 1_000 });
    const failed = assert.rejects(slow, { code: "timed_out" });
    const quick = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    respond(link, envelopes(link)[1], { payload: bytes });
    await quick;
    const long = world.caller.call(far, route, bytes);
    await world.clock.advance(1_008);
    await failed;
    assert.equal(link.closedWith, undefined);
    respond(link, envelopes(link)[2], { payload: bytes });
    assert.deepEqual(await long, bytes);
  });

  it("[T-57] a late answer does no harm either when the link was closed and opened in between", async () => {
    const world = calling();
    const first = world.caller.call(far, route, bytes, { timeoutMs: 100 });
    const failed = assert.rejects(first, { code: "timed_out" });
    await world.clock.advance(110);
    await failed;
    const before = world.transport.link;
    before.end();
    await world.clock.settle();
    const second = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    assert.notEqual(link, before);
    respond(link, envelopes(before)[0], { payload: Uint8Array.of(66) });
    await world.clock.settle();
    assert.deepEqual([world.orphans, world.pending.size], [1, 1]);
    respond(link, envelopes(link)[0], { payload: Uint8Array.of(1) });
    assert.deepEqual(await second, Uint8Array.of(1));
  });

  it("[N-57] [T-63] fails when the connection closes and no try is left; a late answer is dropped", async () => {
    const world = calling({ reliableAttempts: 1 });
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    const [request] = envelopes(link);
    link.end();
    await assert.rejects(call, { code: "unavailable" });
    assert.equal(world.pending.size, 0);
    const again = new FakeLink(far, "inbound");
    world.manager.accept(again);
    respond(again, request, { payload: bytes });
    await world.clock.settle();
    assert.equal(world.orphans, 1);
    assert.equal(timersLeft(world), 0);
  });

  it("is cancelled by its signal: before it begins, while it dials, waits or pauses", async () => {
    const why = new Error("changed my mind");
    const before = calling();
    const aborted = { signal: AbortSignal.abort(why) };
    await assert.rejects(before.caller.call(far, route, bytes, aborted), why);
    await assert.rejects(before.caller.tell(far, route, bytes, aborted), why);
    assert.equal(before.transport.dials.length, 0);

    const stages = {
      dialling: (world: ReturnType<typeof calling>) => {
        world.transport.onDial = () => new Promise(() => {});
      },
      waiting: () => {},
      pausing: (world: ReturnType<typeof calling>) => void sendTimes(world, [lost]),
    };
    for (const [stage, prepare] of Object.entries(stages)) {
      const world = calling();
      prepare(world);
      const abort = new AbortController();
      const call = world.caller.call(far, route, bytes, { signal: abort.signal });
      const failed = assert.rejects(call, why);
      await world.clock.settle();
      assert.equal(world.pending.size, 1, stage);
      abort.abort(why);
      await failed;
      assert.equal(world.pending.size, 0, stage);
      await world.clock.advance(30_000);
      assert.ok(
        world.transport.links.every((link) => link.sent.length === 1),
        stage,
      );
    }
  });

  it("a call that pauses before its next try ends with the others when the node stops", async () => {
    const world = calling();
    sendTimes(world, [lost]);
    const call = world.caller.call(far, route, bytes);
    const failed = assert.rejects(call, { code: "stopping" });
    await world.clock.settle();
    world.pending.failAll(new ActrError("stopping", "bye"));
    await failed;
    await world.clock.settle();
    assert.equal(timersLeft(world), 0);
  });

  it("a call that the peer asked to come back ends with the others when the node stops", async () => {
    const world = calling();
    const call = world.caller.call(far, route, bytes);
    const failed = assert.rejects(call, { code: "stopping" });
    await world.clock.settle();
    const { link } = world.transport;
    respond(link, envelopes(link)[0], { error: { code: 10001, message: "unavailable: busy" } });
    await world.clock.settle();
    assert.equal(world.pending.size, 1, "it waits on");
    world.pending.failAll(new ActrError("stopping", "bye"));
    await failed;
  });

  it("hears an answer that comes while it pauses", async () => {
    const world = calling();
    sendTimes(world, [lost]);
    const call = world.caller.call(far, route, bytes);
    await world.clock.settle();
    const { link } = world.transport;
    respond(link, envelopes(link)[0], { payload: bytes });
    assert.deepEqual(await call, bytes);
    await world.clock.advance(30_000);
    assert.equal(link.sent.length, 1);
  });
});

/** Lets the sends on the world's links fail as listed; returns the times of all sends, from now. */
function sendTimes(world: ReturnType<typeof calling>, failures: readonly unknown[]): number[] {
  const times: number[] = [];
  const start = world.clock.now();
  const { onDial } = world.transport;
  world.transport.onDial = async (address, options) => {
    const link = await onDial(address, options);
    link.failures.push(...failures);
    const send = link.send.bind(link);
    link.send = (frame) => {
      times.push(world.clock.now() - start);
      return send(frame);
    };
    return link;
  };
  return times;
}
