import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes, toHex } from "../../../src/protocol/bytes.ts";
import { toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { parseActrId } from "../../../src/protocol/ids.ts";
import { withoutCredential } from "../../../src/protocol/relay_bytes.ts";
import { ActrIdSchema, AIdCredentialSchema, encode } from "../../../src/protocol/schema.ts";
import { decodeSignaling, encodeSignaling } from "../../../src/protocol/signaling.ts";

const source = toActrIdMessage(parseActrId("1@7/acme:a:1.0.0"));
const target = toActrIdMessage(parseActrId("2@7/acme:b:1.0.0"));
const secret = Uint8Array.of(0xaa, 0xbb, 0xcc);
const credential = { keyId: 3, claims: secret, signature: secret };

/** A field whose tag takes one byte and whose value is shorter than 128 bytes. */
function field(number: number, value: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(number * 8 + 2, value.length), value]);
}

/** An unknown field: number 15, with a value that is easy to find. */
const unknown = field(15, Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
const ids = {
  source: field(1, encode(ActrIdSchema, source)),
  credential: field(2, encode(AIdCredentialSchema, credential)),
  blank: Uint8Array.of(0x12, 6, 0x08, 0, 0x12, 0, 0x1a, 0),
  target: field(3, encode(ActrIdSchema, target)),
  /** ice_restart_request with a reason and an unknown field. */
  payload: field(14, concatBytes([field(1, Uint8Array.of(0x68, 0x69)), unknown])),
};

function envelope(...relay: Uint8Array[]): Uint8Array {
  const id = field(2, Uint8Array.of(0x61));
  const whole = concatBytes(relay);
  assert.ok(whole.length < 128);
  return concatBytes([Uint8Array.of(0x08, 1), id, field(13, whole)]);
}

describe("withoutCredential", () => {
  it("hides the credential, renames the envelope and leaves every other byte", () => {
    const sent = envelope(ids.source, ids.credential, ids.target, ids.payload, unknown);
    const expected = concatBytes([
      Uint8Array.of(0x08, 2),
      field(2, Uint8Array.of(0x7a)),
      field(13, concatBytes([ids.source, ids.blank, ids.target, ids.payload, unknown])),
    ]);
    assert.equal(toHex(withoutCredential(sent, "z")), toHex(expected));
  });

  it("keeps the trace and what is not known of an envelope, not its timestamp", () => {
    const value = { source, credential, target } as const;
    const sent = encodeSignaling({
      envelopeId: "a",
      replyFor: "b",
      traceparent: "00-1",
      tracestate: "x=y",
      flow: { case: "actrRelay", value },
    });
    const timestamp = field(4, Uint8Array.of(0x08, 1));
    const passed = withoutCredential(concatBytes([timestamp, sent, unknown]), "c");
    const read = decodeSignaling(passed);
    assert.equal(read.envelopeId, "c");
    assert.equal(Object.hasOwn(read, "replyFor"), false);
    assert.equal(read.traceparent, "00-1");
    assert.equal(read.tracestate, "x=y");
    assert.equal(read.envelopeVersion, 2);
    assert.deepEqual(
      read.$unknown?.map(({ no }) => no),
      [15],
    );
  });

  it("gives a blank credential also to who sent none", () => {
    const passed = withoutCredential(envelope(ids.source, ids.target), "z");
    const { flow } = decodeSignaling(passed);
    assert.equal(flow.case, "actrRelay");
    assert.equal(flow.value.credential?.keyId, 0);
  });

  const ambiguous: readonly [string, Uint8Array][] = [
    ["two sources", envelope(ids.source, ids.source, ids.target)],
    ["two targets", envelope(ids.source, ids.target, ids.target)],
    [
      "two credentials",
      envelope(ids.source, ids.credential, field(2, Uint8Array.of(0x08, 1)), ids.target),
    ],
    ["no relay", Uint8Array.of(0x08, 1, 0x12, 1, 0x61)],
    ["two relays", concatBytes([envelope(ids.source, ids.target), field(13, new Uint8Array())])],
    [
      "a request beside it",
      concatBytes([field(11, ids.credential), envelope(ids.source, ids.target)]),
    ],
    ["a field that does not end", concatBytes([envelope(ids.source), Uint8Array.of(0x7a, 9)])],
    [
      "a source that goes on behind its end",
      envelope(field(1, Uint8Array.of(0x0a, 2, 0x08, 7, 0x4a, 3)), ids.target),
    ],
    [
      "a target whose type goes on behind its end",
      envelope(ids.source, field(3, Uint8Array.of(0x1a, 2, 0x0a, 5, 0x10, 2))),
    ],
    [
      "a source whose realm goes on behind its end",
      envelope(field(1, Uint8Array.of(0x0a, 3, 0x08, 7, 0x4a, 0x10, 1)), ids.target),
    ],
    ["a tag that does not end", concatBytes([envelope(ids.source), Uint8Array.of(0xff)])],
  ];
  for (const [what, bytes] of ambiguous) {
    it(`refuses ${what}`, () => {
      assert.throws(() => withoutCredential(bytes, "z"), { code: "decode_failure" });
    });
  }
});
