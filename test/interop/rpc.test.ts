import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { ActrError, type ErrorCode } from "../../src/errors.ts";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import type { Arrival } from "./peer/calls.ts";
import { ScriptedPeer } from "./peer/peer.ts";
import { directions, type Envelope, writeEnvelope } from "./peer/rpc.ts";
import { lanes, type Wire } from "./peer/wire.ts";
import {
  assertSound,
  bytesMessage,
  echoed,
  equal,
  noise,
  pauseMessage,
  routes,
  Subject,
} from "./subject.ts";

const missing = await whyMissing("wrtc");

/** Long enough for what should not come, milliseconds. */
const quietMs = 300;

/** The codes that every Actr peer knows (`spec/transport.md` §7.3). */
const codes: readonly (readonly [ErrorCode, number])[] = [
  ["unavailable", 10_001],
  ["timed_out", 10_002],
  ["not_found", 10_003],
  ["permission_denied", 10_004],
  ["invalid_argument", 10_005],
  ["unknown_route", 10_006],
  ["dependency_not_found", 10_007],
  ["decode_failure", 10_008],
  ["not_implemented", 10_009],
  ["internal", 10_010],
  ["connection_not_ready", 10_011],
];

for (const kind of ["webrtc", "websocket"] as const) {
  const skip = kind === "webrtc" ? (missing ?? false) : false;
  describe(`calls between a node and a scripted Actr peer by ${kind}`, {
    timeout: 60_000,
    skip,
  }, () => {
    let subject: Subject;
    let peer: ScriptedPeer;
    /** What the peer's requests leave on. */
    let wire: Wire;
    before(async () => {
      subject = await Subject.start({ webrtc: kind === "webrtc" });
      const { ais } = subject;
      const listens = kind === "websocket";
      peer = await ScriptedPeer.start({ ais, type: "acme:RustNode:0.5.9", listens });
      wire = listens
        ? await peer.dial(subject.wsAddress, subject.id)
        : await peer.connect(subject.id);
      await subject.served.context.discover("acme:RustNode:0.5.9");
    });
    after(async () => {
      await peer?.[Symbol.asyncDispose]();
      await subject?.[Symbol.asyncDispose]();
    });

    /** Sends an envelope, whatever it is. */
    const send = (envelope: Envelope): Promise<void> =>
      wire.send(lanes.rpcReliable, writeEnvelope(envelope));

    /** Has the subject call the peer, which answers it like this. */
    function callAnswered(
      answer: (arrival: Arrival) => void,
      timeoutMs = 900,
    ): Promise<Uint8Array> {
      peer.calls.handler = answer;
      return subject.call(peer.id, noise(3), { timeoutMs });
    }

    it("0 B to 1 MB come back as they were", async () => {
      peer.calls.handler = (arrival) => peer.calls.reply(arrival);
      for (const size of [0, 1, 65_536, 1_048_576]) {
        const { envelope } = await peer.calls.call(wire, routes.echo, bytesMessage(noise(size)));
        assert.ok(equal(echoed(envelope.payload), noise(size)));
        assert.ok(equal(await subject.call(peer.id, noise(size)), noise(size)));
      }
      assertSound(subject, peer);
    });

    it("an answer has the request's id, route and trace, a payload, its direction and no time", async () => {
      const requestId = randomUUID();
      const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      const answered = peer.calls.expect(requestId);
      const facts = { routeKey: routes.echo, requestId, traceparent, timeoutMs: 5_000 };
      await send({ ...facts, payload: bytesMessage(noise(3)), direction: directions.request });
      const { envelope, lane } = await answered;
      const direction = directions.response;
      const { payload, ...rest } = envelope;
      assert.deepEqual(rest, { ...facts, direction, timeoutMs: 0, error: undefined });
      assert.ok(equal(echoed(payload), noise(3)));
      assert.equal(lane, lanes.rpcReliable);
    });

    it("a request says its direction, an id of its own, its route and how long it may take", async () => {
      peer.calls.requests.drain();
      await callAnswered((arrival) => peer.calls.reply(arrival), 4_321);
      const { envelope } = await peer.calls.requests.take("the request");
      assert.match(envelope.requestId ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
      const { direction, routeKey, timeoutMs } = envelope;
      assert.deepEqual([direction, routeKey, timeoutMs], [1, routes.echo, 4_321]);
    });

    it("a request without time is answered; a tell runs once and is not", async () => {
      const requestId = randomUUID();
      const answered = peer.calls.expect(requestId);
      const payload = bytesMessage(noise(1));
      await send({ routeKey: routes.echo, payload, direction: 1, requestId, timeoutMs: 0 });
      assert.equal((await answered).envelope.error, undefined);
      const before = subject.handled;
      await peer.calls.tell(wire, routes.echo, payload, randomUUID());
      await until("the tell is handled", () => subject.handled === before + 1, 10_000);
      await delay(quietMs);
      assert.equal(peer.calls.orphans.size, 0);
    });

    it("the node's tell says so and waits for nothing", async () => {
      peer.calls.requests.drain();
      await subject.served.context.tell(peer.id, routes.echo, noise(4));
      const { envelope } = await peer.calls.requests.take("the tell");
      assert.deepEqual([envelope.direction, envelope.timeoutMs], [directions.tell, 0]);
      assert.equal(subject.pending, 0);
    });

    it("an unknown route is answered at once, as what it is", async () => {
      const { envelope } = await peer.calls.call(wire, "probe.ProbeService.None", noise(1));
      assert.equal(envelope.payload, undefined);
      assert.equal(envelope.error?.code, 10_006);
    });

    for (const [code, number] of codes) {
      it(`${code} is ${number}, both ways`, async () => {
        subject.failure = new ActrError(code, "because");
        const { envelope } = await peer.calls.call(wire, routes.echo, bytesMessage(noise(1)));
        assert.deepEqual([envelope.error?.code, envelope.payload], [number, undefined]);
        const error = { code: number, message: "because" };
        const failed = callAnswered((arrival) =>
          peer.calls.reply(arrival, { error, payload: undefined }),
        );
        await assert.rejects(failed, { code });
      });
    }

    it("an unknown code is unavailable, and its number stays readable", async () => {
      const error = { code: 77, message: "odd" };
      const failed = callAnswered((arrival) =>
        peer.calls.reply(arrival, { error, payload: undefined }),
      );
      await assert.rejects(failed, { code: "unavailable", message: /77.*odd/ });
    });

    it("the hint of a peer that is not ready is read from its text", async () => {
      const error = { code: 10_011, message: "connection not ready: retry_after_ms=Some(4300)" };
      const failed = callAnswered((arrival) =>
        peer.calls.reply(arrival, { error, payload: undefined }),
      );
      await assert.rejects(failed, { code: "connection_not_ready", retryAfterMs: 4_300 });
    });

    it("an answer with payload and error, or with neither, cannot be read", async () => {
      const error = { code: 10_005, message: "both" };
      for (const changes of [{ error }, { payload: undefined }]) {
        const failed = callAnswered((arrival) => peer.calls.reply(arrival, changes));
        await assert.rejects(failed, { code: "decode_failure" });
      }
    });

    it("an answer needs neither route nor time", async () => {
      const bare = { routeKey: undefined, timeoutMs: undefined };
      const answer = await callAnswered((arrival) => peer.calls.reply(arrival, bare));
      assert.ok(equal(answer, noise(3)));
    });

    it("an answer without direction, with an unknown or a wrong one, is none", async () => {
      const answer = await callAnswered((arrival) => {
        for (const direction of [undefined, 0, 9, directions.request])
          peer.calls.reply(arrival, { direction, payload: noise(9) });
        peer.calls.reply(arrival);
        peer.calls.reply(arrival, { payload: noise(9) });
      });
      assert.ok(equal(answer, noise(3)));
    });

    it("a request without direction, or with an unknown one, is dropped; garbage too", async () => {
      const before = subject.handled;
      const facts = { routeKey: routes.echo, payload: bytesMessage(noise(1)), timeoutMs: 1_000 };
      for (const direction of [undefined, 0, 9])
        await send({ ...facts, direction, requestId: "x" });
      await wire.send(lanes.rpcReliable, Uint8Array.of(0xff, 0xff, 0xff));
      await peer.calls.call(wire, routes.echo, bytesMessage(noise(1)));
      assert.equal(subject.handled, before + 1);
    });

    it("a request that is repeated is answered again, and handled once", async () => {
      const [requestId, before] = [randomUUID(), subject.handled];
      const answers: Envelope[] = [];
      for (let repeat = 0; repeat < 3; repeat++) {
        const again = await peer.calls.call(wire, routes.echo, bytesMessage(noise(7)), {
          requestId,
        });
        answers.push(again.envelope);
      }
      assert.equal(subject.handled, before + 1);
      assert.deepEqual(answers[1], answers[0]);
      assert.deepEqual(answers[2], answers[0]);
    });

    it("repeats that come while the first is handled get its answer", async () => {
      const [requestId, before] = [randomUUID(), subject.handled];
      const payload = pauseMessage(200);
      const first = peer.calls.call(wire, routes.wait, payload, { requestId });
      await send({ routeKey: routes.wait, payload, direction: 1, requestId, timeoutMs: 5_000 });
      const isRepeat = ({ envelope }: Arrival): boolean => envelope.requestId === requestId;
      const repeat = peer.calls.orphans.take("the answer to the repeat", isRepeat);
      assert.deepEqual((await repeat).envelope, (await first).envelope);
      assert.equal(subject.handled, before + 1);
      assertSound(subject, peer);
    });
  });
}
