import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { delay } from "#async";
import { whyMissing } from "../../fixtures/webrtc_stacks.ts";
import {
  type ActrId,
  idText,
  readCredential,
  readId,
  typeOf,
  writeCredential,
} from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { descriptionTypes } from "../peer/signals.ts";
import { answers, blankCredential, requests } from "../rendezvous/envelope.ts";
import { atHome, type Home } from "./node.ts";

const missing = await whyMissing("wrtc");
const peer: ActrId = { realm: 101, serial: 7n, type: typeOf("acme:shop:1.0.0") };
const none = new Fields(new Uint8Array(0));

/** How a server tells of roles: whom it names as source and target, and with which credential. */
const styles: Record<
  string,
  (self: ActrId, own: Writer) => readonly [ActrId, ActrId, Writer | undefined]
> = {
  "a real actrix: from who asked to the peer, with the credential of who asked": (self, own) => [
    ...([self, peer] as const),
    own,
  ],
  "a test server: from the peer to the node, with a credential that names nobody": (self) => [
    ...([peer, self] as const),
    writeCredential(blankCredential),
  ],
  "a server that leaves the credential out": (self) => [peer, self, undefined],
};

describe("our node offers to a peer by way of a real actrix", {
  timeout: 180_000,
  skip: missing ?? false,
}, () => {
  // The native library speaks of ended connections for a while yet.
  after(() => delay(300));

  for (const [style, addressed] of Object.entries(styles)) {
    it(`when it is told its role by ${style}`, async () => {
      await using home: Home = await atHome(
        () => {},
        {},
        () => ({ webrtc: true }),
      );
      const { session, node } = home;
      const ended = new AbortController();
      const { signal } = ended;
      const calling = node.context
        .call(peer, "a.B.C", new Uint8Array(0), { signal })
        .catch(() => {});
      // A node asks whether the peer has an address of its own; here it has none.
      const lookup = await session.request(requests.candidates);
      session.answer(lookup, answers.candidates, new Writer().message(1, new Writer()));
      const { relay } = await session.relays.take("a negotiation", (each) => each.relay.has(12));
      const ids = [1, 2].map((field) => idText(readId(relay.message(12)?.message(field) ?? none)));
      assert.deepEqual(ids, [idText(session.id), idText(peer)]);
      assert.equal(relay.message(12)?.number(3), 101);
      const own = readCredential(relay.message(2) ?? none);
      assert.equal(own.signature.length, 64);

      const [source, target, credential] = addressed(session.id, writeCredential(own));
      session.pass(source, target, { kind: "assignment", isOfferer: true }, credential);
      const { signal: offer } = await session.relays.take(
        "an offer",
        (each) => each.signal?.kind === "description",
      );
      assert.ok(offer?.kind === "description");
      assert.equal(offer.type, descriptionTypes.offer);
      assert.match(offer.exchangeId ?? "", /^[0-9a-f-]{36}$/);
      assert.match(offer.sdp, /m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel/);
      const { signal: candidate } = await session.relays.take(
        "a candidate",
        (each) => each.signal?.kind === "candidate",
      );
      assert.ok(candidate?.kind === "candidate");
      assert.ok((candidate.usernameFragment ?? "") !== "", "Actr peers drop those without");
      assert.notEqual(candidate.candidate, "");
      ended.abort(new Error("seen enough"));
      await calling;
    });
  }
});
