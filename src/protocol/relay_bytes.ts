import { ActrError } from "../errors.ts";
import { concatBytes, utf8 } from "./bytes.ts";
import { FieldScanner } from "./field_scanner.ts";
import { envelopeVersion } from "./signaling.ts";
import { delimitedSize, tag, varint32Size, WireWriter, wireTypes } from "./wire_writer.ts";

/** Numbers of the fields that are told apart here (`spec/protocol.md` §2.6). */
const envelopeFields = { version: 1, envelopeId: 2, replyFor: 3, timestamp: 4, relay: 13 } as const;
const [firstFlow, lastFlow] = [10, 14];
const relayFields = { source: 1, credential: 2, target: 3 } as const;
const idFields = { realm: 1, type: 3 } as const;

/** The credential field of an ActrRelay that says nothing: key_id 0, no claims, no signature. */
const blankCredential = Uint8Array.of(tag(2, wireTypes.delimited), 6, 0x08, 0, 0x12, 0, 0x1a, 0);

/**
 * The encoded SignalingEnvelope of a relay as its target gets it: under another envelope id and with a blank
 * credential. Everything else keeps its bytes, also what this version does not know.
 * @throws ActrError `decode_failure` for one that is malformed or that two readers could understand differently.
 */
export function withoutCredential(
  envelope: Uint8Array,
  envelopeId: string,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [head(envelopeId)];
  let flows = 0;
  for (const { number, whole, value } of fieldsOf(envelope)) {
    if (number >= firstFlow && number <= lastFlow) flows++;
    if (number === envelopeFields.relay) {
      parts.push(delimited(number, blinded(value)));
    } else if (number > envelopeFields.timestamp) {
      parts.push(whole);
    }
  }
  if (flows !== 1) throw malformed(`its envelope has ${flows} flows`);
  return concatBytes(parts);
}

function blinded(relay: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const ends: number[] = [];
  for (const { number, whole, value } of fieldsOf(relay)) {
    if (number !== relayFields.credential) parts.push(whole);
    if (number === relayFields.source || number === relayFields.target) checkId(value);
    if (number === relayFields.source) parts.push(blankCredential);
    if (number <= relayFields.target) ends.push(number);
  }
  if (new Set(ends).size < ends.length) throw malformed("it repeats source, credential or target");
  return concatBytes(parts);
}

/** Within an id nothing goes beyond what it is in: some readers would go on behind the end of the inner message, others refuse it. */
function checkId(id: Uint8Array): void {
  for (const { number, value } of fieldsOf(id)) {
    const isMessage = number === idFields.realm || number === idFields.type;
    if (isMessage) for (const _ of fieldsOf(value));
  }
}

interface Field {
  readonly number: number;
  /** Tag and value. */
  readonly whole: Uint8Array;
  /** The bytes of a delimited value; of any other, none. */
  readonly value: Uint8Array;
}

const nothing = new Uint8Array(0);

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const scanner = new FieldScanner(message);
  while (!scanner.done) {
    const from = scanner.position;
    if (!scanner.tag() || !scanner.value()) throw malformed("a field does not end");
    const { number, wireType, position } = scanner;
    const value = wireType === wireTypes.delimited ? scanner.bytes() : nothing;
    yield { number, whole: message.subarray(from, position), value };
  }
}

function head(envelopeId: string): Uint8Array<ArrayBuffer> {
  const id = delimited(envelopeFields.envelopeId, utf8(envelopeId));
  const version = tag(envelopeFields.version, wireTypes.varint);
  return concatBytes([Uint8Array.of(version, envelopeVersion), id]);
}

function delimited(field: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const before = tag(field, wireTypes.delimited);
  const size = varint32Size(before) + delimitedSize(value.length);
  const writer = new WireWriter(new Uint8Array(size));
  writer.varint32(before);
  writer.bytes(value);
  return writer.finish();
}

function malformed(reason: string): ActrError {
  return new ActrError("decode_failure", `a relay cannot be passed on: ${reason}`);
}
