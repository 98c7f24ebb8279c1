import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import type { RtcSession } from "./peer/rtc_session.ts";
import { ufragIn } from "./peer/sdp.ts";
import { type Description, descriptionTypes } from "./peer/signals.ts";
import {
  assertSound,
  assertTalks,
  bytesMessage,
  equal,
  noise,
  pauseMessage,
  roles,
  routes,
  Subject,
  startPeer,
} from "./subject.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };

/** An address of the network for documentation, where nobody answers. */
const deadCandidate = "candidate:1 1 udp 2130706431 192.0.2.1 50123 typ host";

/** The subject's last description of a type. */
function lastHeard(session: RtcSession, type: number): Description | undefined {
  return session.heard.findLast((description) => description.type === type);
}

/** Resolves with the next description of a type that the subject sends. */
async function nextHeard(session: RtcSession, type: number, known: number): Promise<Description> {
  const ofType = (): Description[] => session.heard.filter((each) => each.type === type);
  await until(`description ${type}`, () => ofType().length > known, 15_000);
  return ofType().at(-1) as Description;
}

const fingerprintIn = (sdp: string): string | undefined => /^a=fingerprint:.*$/m.exec(sdp)?.[0];

describe("a WebRTC connection with a scripted Actr peer that changes", bounds, () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.start();
  });
  after(() => subject?.[Symbol.asyncDispose]());

  it("the peer, having offered, restarts ICE: the node answers by the id of that offer, and calls go on", async () => {
    await using peer = await startPeer(subject, "offerer");
    await assertTalks(subject, peer);
    const session = await peer.connect(subject.id);
    const before = lastHeard(session, descriptionTypes.answer);
    const calls = Array.from({ length: 20 }, () => subject.call(peer.id, noise(20_000)));
    await session.restart();
    const answer = await nextHeard(session, descriptionTypes.answer, 1);
    assert.equal(answer.exchangeId, session.said.at(-1)?.exchangeId);
    assert.notEqual(ufragIn(answer.sdp), ufragIn(before?.sdp ?? ""));
    assert.ok((await Promise.all(calls)).every((back) => equal(back, noise(20_000))));
    await assertTalks(subject, peer);
    assert.equal(await peer.connect(subject.id), session);
  });

  it("candidates of an earlier generation, and of one to come, do no harm", async () => {
    await using peer = await startPeer(subject, "offerer", { candidatesFirst: true });
    const session = await peer.connect(subject.id);
    const old = session.candidates.sent[0]?.usernameFragment;
    await session.restart();
    await nextHeard(session, descriptionTypes.answer, 1);
    const late = { kind: "candidate", candidate: deadCandidate, sdpMLineIndex: 0 } as const;
    peer.signaling.relay(subject.id, { ...late, usernameFragment: old });
    peer.signaling.relay(subject.id, { ...late, usernameFragment: "ofTheNextRestart" });
    peer.signaling.relay(subject.id, late);
    await assertTalks(subject, peer);
    assert.equal(session.candidates.sent.length, 2);
    assert.equal(await peer.connect(subject.id), session);
  });

  it("the node, having answered, asks the peer for a restart when its network has changed", async () => {
    await using peer = await startPeer(subject, "offerer");
    const session = await peer.connect(subject.id);
    await changeNetwork(subject);
    await until("a restart", () => session.said.length > 1, 15_000);
    assert.deepEqual(session.requests, ["network_recovered"]);
    await nextHeard(session, descriptionTypes.answer, 1);
    await assertTalks(subject, peer);
    assert.equal(await peer.connect(subject.id), session);
  });

  it("the peer, having answered, asks for a restart: the node offers it on the same connection", async () => {
    await using peer = await startPeer(subject, "answerer");
    const session = await peer.connect(subject.id);
    const first = lastHeard(session, descriptionTypes.offer);
    const askedAt = performance.now();
    peer.signaling.relay(subject.id, { kind: "restart_request", reason: "network_recovered" });
    const offer = await nextHeard(session, descriptionTypes.restart, 0);
    assert.ok(performance.now() - askedAt < 4_000);
    assert.notEqual(offer.exchangeId, first?.exchangeId);
    assert.notEqual(ufragIn(offer.sdp), ufragIn(first?.sdp ?? ""));
    assert.equal(fingerprintIn(offer.sdp), fingerprintIn(first?.sdp ?? ""));
    await assertTalks(subject, peer);
    assert.equal(await peer.connect(subject.id), session);
  });

  it("[T-21] a restart offer that was lost is made anew when the peer asks again; the late answer to it is left alone", async () => {
    const answers: Description[] = [];
    await using peer = await startPeer(subject, "answerer", {
      // The first restart is answered late, right before the second.
      describe: (own) => {
        answers.push(own);
        return answers.length === 2 ? [] : answers.slice(-2);
      },
    });
    const session = await peer.connect(subject.id);
    const ask = (): void => peer.signaling.relay(subject.id, { kind: "restart_request" });
    ask();
    await nextHeard(session, descriptionTypes.restart, 0);
    await delay(2_200);
    const askedAt = performance.now();
    ask();
    await nextHeard(session, descriptionTypes.restart, 1);
    assert.ok(performance.now() - askedAt < 4_000);
    await until("the second answer", () => session.said.length === 3, 10_000);
    await assertTalks(subject, peer);
    assert.equal(await peer.connect(subject.id), session);
  });

  it("a restart offer for a connection that the node does not know leads to a new one", async () => {
    await using peer = await startPeer(subject, "answerer");
    const sdp = "v=0\r\n";
    const { restart: type } = descriptionTypes;
    peer.signaling.relay(subject.id, { kind: "description", type, sdp, exchangeId: "gone" });
    await peer.met(subject.id);
    await assertTalks(subject, peer);
  });

  for (const role of roles) {
    describe(`and is the ${role}`, () => {
      it("a request of the peer that times out takes the connection with it; the next one makes another", async () => {
        await using peer = await startPeer(subject, role);
        const session = await peer.connect(subject.id);
        const late = peer.calls.call(session, routes.wait, pauseMessage(600), { timeoutMs: 300 });
        await assert.rejects(late);
        assert.equal(session.isOpen, false);
        const again = await peer.connect(subject.id);
        assert.notEqual(again, session);
        await assertTalks(subject, peer);
        // What the handler answers in the end comes by the connection that there is.
        const { envelope, wire } = await peer.calls.orphans.take("the late answer");
        assert.deepEqual([envelope.routeKey, wire], [routes.wait, again]);
      });

      it("a request of the node that times out leaves it able to ask again", async () => {
        await using peer = await startPeer(subject, role);
        const { handler } = peer.calls;
        peer.calls.handler = () => {};
        const session = await peer.connect(subject.id);
        const mute = subject.call(peer.id, noise(10), { timeoutMs: 300 });
        await assert.rejects(mute, { code: "timed_out" });
        await session.closed;
        peer.calls.handler = handler;
        await assertTalks(subject, peer);
      });

      it("a connection that the peer ends under a request is made anew for the same request", async () => {
        await using peer = await startPeer(subject, role);
        const { handler } = peer.calls;
        const ids: (string | undefined)[] = [];
        peer.calls.handler = (arrival) => {
          ids.push(arrival.envelope.requestId);
          if (ids.length === 1) arrival.wire.close();
          else handler(arrival);
        };
        assert.ok(equal(await subject.call(peer.id, noise(10)), noise(10)));
        assert.equal(ids.length, 2);
        assert.equal(new Set(ids).size, 1);
        assertSound(subject, peer);
      });

      it("one channel that closes is the end of the connection, and not of calls", async () => {
        await using peer = await startPeer(subject, role);
        const session = await peer.connect(subject.id);
        session.lanes[0]?.channels[0]?.close();
        await until("the node has noticed", () => subject.wireTo(peer.id) === undefined, 10_000);
        assert.ok(equal(await subject.call(peer.id, noise(10)), noise(10)));
        const again = await peer.connect(subject.id);
        assert.notEqual(again, session);
        const { envelope } = await peer.calls.call(again, routes.echo, bytesMessage(noise(5)));
        assert.equal(envelope.error, undefined);
        assertSound(subject, peer);
      });
    });
  }
});

let changes = 0;

/** Tells the subject that its network is another one. */
async function changeNetwork(subject: Subject): Promise<void> {
  const path = { kind: "path", availability: "available", transports: ["wifi"] } as const;
  await subject.served.node.network.report({ ...path, sequence: ++changes });
}
