import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { directions, type RpcEnvelope } from "../../../src/protocol/envelope.ts";
import { Deadlines } from "../../../src/session/deadlines.ts";
import { type PendingCall, PendingCalls } from "../../../src/session/pending_calls.ts";
import { FakeLink, peerId } from "./support.ts";

class Waiting implements PendingCall {
  readonly peerKey: string;
  readonly heard: string[] = [];
  readonly requestId: string;
  readonly link: FakeLink | undefined;
  readonly #calls: PendingCalls;

  constructor(calls: PendingCalls, requestId: string, link?: FakeLink, peerKey = "far") {
    this.#calls = calls;
    this.peerKey = peerKey;
    this.requestId = requestId;
    this.link = link;
    calls.open(this);
  }

  answered(): void {
    this.#end("answered");
  }

  disconnected(reason: string): void {
    this.#end(`disconnected: ${reason}`);
  }

  fail(error: ActrError): void {
    this.#end(error.code);
  }

  expire(): void {
    this.#end("expired");
  }

  #end(how: string): void {
    this.heard.push(how);
    this.#calls.close(this);
  }
}

function response(requestId: string): RpcEnvelope {
  const direction = directions.response;
  return { routeKey: "a.B.C", direction, requestId, metadata: [], timeoutMs: 0 };
}

describe("pending calls", () => {
  it("[N-81] ends each entry once, answers all calls of a repeated id, reports orphans, fails only what matches", async () => {
    const clock = new FakeClock();
    const calls = new PendingCalls(10);
    const dropped = new Waiting(calls, "dropped");
    calls.close(dropped);
    assert.equal(calls.size, 0, "an entry that is given up is gone");
    assert.equal(calls.settle(response("dropped"), "far"), false, "its answer is an orphan");

    const completed = new Waiting(calls, "completed");
    assert.equal(calls.settle(response("completed"), "far"), true);
    calls.close(completed);
    assert.deepEqual(completed.heard, ["answered"], "completing comes before giving up");

    const deadlines = new Deadlines(clock);
    const late = new Waiting(calls, "late");
    deadlines.add(late, clock.monotonic() + 100);
    await clock.advance(120);
    assert.deepEqual(late.heard, ["expired"]);
    assert.equal(calls.size, 0, "a timeout empties the table");

    const first = new Waiting(calls, "twice");
    const second = new Waiting(calls, "twice");
    assert.equal(calls.size, 1);
    calls.close(first);
    assert.equal(calls.size, 1, "the older one does not take the newer one along");
    const third = new Waiting(calls, "twice");
    calls.settle(response("twice"), "far");
    assert.deepEqual([first.heard, second.heard, third.heard], [[], ["answered"], ["answered"]]);
    assert.equal(calls.size, 0);

    const lost = new FakeLink(peerId(2));
    const onLost = new Waiting(calls, "on the lost link", lost);
    const onOther = new Waiting(calls, "on another", new FakeLink(peerId(2)));
    calls.disconnected(lost, "gone");
    assert.deepEqual([onLost.heard, onOther.heard], [["disconnected: gone"], []]);
    assert.equal(calls.size, 1);
  });

  it("[N-55] has one entry per request id", () => {
    const calls = new PendingCalls(10);
    new Waiting(calls, "a");
    assert.equal(calls.size, 1);
    new Waiting(calls, "b");
    assert.equal(calls.size, 2);
    new Waiting(calls, "b");
    assert.equal(calls.size, 2);
  });

  it("keeps those that wait while very many others come and go", () => {
    const calls = new PendingCalls(10);
    const patient = new Waiting(calls, "patient");
    for (let n = 0; n < 1_000; n += 1) {
      new Waiting(calls, `${n}`);
      assert.equal(calls.settle(response(`${n}`), "far"), true);
    }
    assert.equal(calls.size, 1);
    assert.equal(calls.settle(response("patient"), "far"), true);
    assert.deepEqual(patient.heard, ["answered"]);
  });

  it("keeps calls of one id to several peers apart", () => {
    const calls = new PendingCalls(10);
    const near = new Waiting(calls, "a", undefined, "near");
    const far = new Waiting(calls, "a");
    assert.equal(calls.size, 1);
    assert.equal(calls.settle(response("a"), "nobody"), false);
    assert.equal(calls.settle(response("a"), "far"), true);
    assert.deepEqual([near.heard, far.heard], [[], ["answered"]]);
    assert.equal(calls.settle(response("a"), "near"), true);
    assert.deepEqual([near.heard, calls.size], [["answered"], 0]);
  });

  it("[ND-25] takes an answer only from the peer that was asked", () => {
    const calls = new PendingCalls(10);
    const call = new Waiting(calls, "a");
    assert.equal(calls.settle(response("a"), "stranger"), false);
    assert.deepEqual(call.heard, []);
    assert.equal(calls.settle(response("a"), "far"), true);
    assert.deepEqual(call.heard, ["answered"]);
  });

  it("refuses the call that is one too many, with a hint", () => {
    const calls = new PendingCalls(1);
    new Waiting(calls, "a");
    assert.throws(() => new Waiting(calls, "b"), { code: "overloaded", retryAfterMs: 100 });
    assert.equal(calls.size, 1);
  });

  it("fails all with one error", () => {
    const calls = new PendingCalls(10);
    const waiting = [new Waiting(calls, "a"), new Waiting(calls, "b")];
    calls.failAll(new ActrError("stopping", "bye"));
    assert.deepEqual(
      waiting.flatMap((each) => each.heard),
      ["stopping", "stopping"],
    );
    assert.equal(calls.size, 0);
  });
});
