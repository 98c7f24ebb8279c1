import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { fragment } from "./peer/fragments.ts";
import { idText } from "./peer/identity.ts";
import type { ScriptedPeer } from "./peer/peer.ts";
import { directions, writeEnvelope } from "./peer/rpc.ts";
import type { Description } from "./peer/signals.ts";
import { lanes } from "./peer/wire.ts";
import {
  assertSound,
  assertTalks,
  bytesMessage,
  echoed,
  equal,
  noise,
  roles,
  routes,
  Subject,
  startPeer,
} from "./subject.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };

/** Long enough for an answer that should not come, milliseconds: one that may takes a tenth of it. */
const quietMs = 400;

/** The descriptions that a peer has been sent by the subject. */
function heard(peer: ScriptedPeer): Description[] {
  return [...peer.sessions.values()].flatMap((session) => session.heard);
}

/** A description that leads nowhere, since nobody has its ICE login. */
function decoy(description: Description): Description {
  const sdp = description.sdp
    .replace(/^a=ice-ufrag:.*$/m, "a=ice-ufrag:decoydecoydecoyd")
    .replace(/^a=ice-pwd:.*$/m, `a=ice-pwd:${"d".repeat(32)}`);
  return { ...description, sdp };
}

/** A request of the echo as one DataChannel message. */
function request(requestId: string, messageId: number): Uint8Array<ArrayBuffer> {
  const facts = { routeKey: routes.echo, direction: directions.request, requestId };
  const payload = bytesMessage(noise(9));
  return fragment(messageId, 0, 1, writeEnvelope({ ...facts, payload, timeoutMs: 5_000 }));
}

describe("a WebRTC connection with a scripted Actr peer", bounds, () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.start();
  });
  after(() => subject?.[Symbol.asyncDispose]());

  for (const role of roles) {
    describe(`that is the ${role}`, () => {
      it("comes about when the peer wants it, with calls of 0 B to 1 MB both ways", async () => {
        await using peer = await startPeer(subject, role);
        assert.equal((await peer.connect(subject.id)).role, role);
        await assertTalks(
          subject,
          peer,
          [0, 1, 65_463, 65_464, 65_527, 65_528, 204_800, 1_048_576],
        );
        assert.equal(peer.sessions.size, 1);
      });

      it("comes about when the node wants it", async () => {
        await using peer = await startPeer(subject, role);
        assert.ok(equal(await subject.call(peer.id, noise(100)), noise(100)));
        assert.equal((await peer.met(subject.id)).role, role);
        await assertTalks(subject, peer);
      });

      it("comes about when both call first at once", async () => {
        await using peer = await startPeer(subject, role);
        const asked = subject.call(peer.id, noise(100));
        const session = await peer.connect(subject.id);
        assert.ok(equal(await asked, noise(100)));
        assert.equal(session.role, role);
        await assertTalks(subject, peer);
      });

      it("takes candidates that come before their description", async () => {
        await using peer = await startPeer(subject, role, {
          candidatesFirst: true,
          takesCandidates: false,
        });
        await assertTalks(subject, peer);
      });

      it("needs no candidate of the peer, and none that the peer takes", async () => {
        await using silent = await startPeer(subject, role, { sendsCandidates: false });
        await assertTalks(subject, silent);
        await using deaf = await startPeer(subject, role, { takesCandidates: false });
        await assertTalks(subject, deaf);
      });

      it("leaves alone candidates that no stack could use", async () => {
        await using peer = await startPeer(subject, role);
        const { signaling } = peer;
        const junk = { kind: "candidate", candidate: "candidate:junk", sdpMLineIndex: 0 } as const;
        signaling.relay(subject.id, { ...junk, usernameFragment: "nobody" });
        const session = await peer.connect(subject.id);
        const usernameFragment = session.candidates.sent[0]?.usernameFragment;
        signaling.relay(subject.id, { ...junk, usernameFragment });
        signaling.relay(subject.id, { ...junk, candidate: "", usernameFragment });
        signaling.relay(subject.id, { ...junk, sdpMLineIndex: 7, usernameFragment });
        await assertTalks(subject, peer);
      });
    });
  }

  it("an offer without exchange id gets no answer; the same offer with one does", async () => {
    let offer: Description | undefined;
    await using peer = await startPeer(subject, "offerer", {
      describe: (own) => {
        offer = own;
        return [{ ...own, exchangeId: undefined }];
      },
    });
    const connected = peer.connect(subject.id);
    await until("the offer has left", () => peer.sessions.size > 0, 5_000);
    await delay(quietMs);
    assert.deepEqual(heard(peer), []);
    assert.ok(offer !== undefined);
    peer.signaling.relay(subject.id, offer);
    await connected;
    await assertTalks(subject, peer);
  });

  it("an offer with an empty exchange id is answered under it", async () => {
    await using peer = await startPeer(subject, "offerer", {
      describe: (own) => [{ ...own, exchangeId: "" }],
    });
    peer.connect(subject.id).catch(() => {}); // The peer itself wants the id that it made.
    await until("an answer", () => heard(peer).length > 0, 10_000);
    assert.equal(heard(peer)[0]?.exchangeId, "");
  });

  it("answers without, with an empty or with another exchange id consume nothing", async () => {
    await using peer = await startPeer(subject, "answerer", {
      describe: (own) => [
        { ...decoy(own), exchangeId: undefined },
        { ...decoy(own), exchangeId: "" },
        { ...decoy(own), exchangeId: "another" },
        own,
        decoy(own),
      ],
    });
    await assertTalks(subject, peer);
  });

  it("a peer that offers anew, with the old connection or without a word, is taken as it is now", async () => {
    await using peer = await startPeer(subject, "offerer");
    await assertTalks(subject, peer);
    const first = peer.sessions.get(idText(subject.id));
    const second = await peer.offer(subject.id);
    assert.notEqual(second, first);
    await assertTalks(subject, peer);
    assert.equal(peer.sessions.get(idText(subject.id)), second);
  });

  it("lanes that the offerer opens late are waited for, and never opened by the node", async () => {
    let open: () => void = () => {};
    const furtherLanes = new Promise<void>((resolve) => {
      open = resolve;
    });
    await using peer = await startPeer(subject, "offerer", { furtherLanes });
    await peer.connect(subject.id);
    await assertTalks(subject, peer);
    const signal = subject.call(peer.id, noise(10), { payloadType: lanes.rpcSignal });
    const { streams } = subject.served.context;
    const sent = streams.send(peer.id, "late", { payload: noise(3) });
    await delay(quietMs);
    assert.equal(peer.calls.chunks.size, 0);
    open();
    assert.ok(equal(await signal, noise(10)));
    assert.equal(await sent, true);
    assert.equal((await peer.calls.chunks.take("the chunk")).chunk.streamId, "late");
    assertSound(subject, peer);
  });

  it("channels that the answerer opens beside the offerer's are both read", async () => {
    await using peer = await startPeer(subject, "answerer", { opensAsAnswerer: [0, 1] });
    const session = await peer.connect(subject.id);
    for (const lane of [lanes.rpcReliable, lanes.rpcSignal]) {
      await until("both channels", () => session.lanes[lane]?.channels.length === 2, 10_000);
      for (const channelAt of [0, 1]) {
        const requestId = `race-${lane}-${channelAt}`;
        const answered = peer.calls.expect(requestId);
        await session.lanes[lane]?.raw(request(requestId, session.lanes[lane].takeId()), channelAt);
        assert.ok(equal(echoed((await answered).envelope.payload), noise(9)), requestId);
      }
    }
    await assertTalks(subject, peer);
  });
});
