import { crc32 } from "../../protocol/crc32.ts";

/** Bytes of a message before its attributes: type, length, cookie and transaction (RFC 8489 §5). */
const stunHeaderBytes = 20;

/** What every message carries behind its length. */
const magicCookie = 0x2112_a442;

/** Types of messages in use. */
export const stunTypes = { request: 0x0001, answer: 0x0101, refusal: 0x0111 } as const;

/** Types of attributes in use (RFC 8489 §18.3). */
export const stunAttributes = {
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
} as const;

/** One attribute; its value without padding, a view of the message. */
export interface StunAttribute {
  readonly type: number;
  readonly value: Uint8Array;
  /** Where it begins in the message, bytes. */
  readonly at: number;
}

/** A message as it stands in a datagram. */
export interface StunMessage {
  readonly type: number;
  /** Cookie and transaction, 16 bytes: a view of the datagram. */
  readonly id: Uint8Array;
  readonly attributes: readonly StunAttribute[];
}

/** The message in `datagram`; undefined for what is none, or was damaged on its way. */
export function readStunMessage(datagram: Uint8Array): StunMessage | undefined {
  if (datagram.length < stunHeaderBytes) return undefined;
  const view = viewOf(datagram);
  const [type, length] = [view.getUint16(0), view.getUint16(2)];
  // The first two bits tell it from what else may come to such a port.
  if (type > 0x3fff || view.getUint32(4) !== magicCookie) return undefined;
  if (length % 4 !== 0 || stunHeaderBytes + length !== datagram.length) return undefined;
  const attributes = readAttributes(datagram, view);
  if (attributes === undefined || !isWhole(datagram, attributes)) return undefined;
  return { type, id: datagram.subarray(4, stunHeaderBytes), attributes };
}

function readAttributes(datagram: Uint8Array, view: DataView): StunAttribute[] | undefined {
  const attributes: StunAttribute[] = [];
  for (let at = stunHeaderBytes; at < datagram.length; ) {
    const [type, length] = [view.getUint16(at), view.getUint16(at + 2)];
    const end = at + 4 + length;
    if (end > datagram.length) return undefined;
    attributes.push({ type, value: datagram.subarray(at + 4, end), at });
    at = padded(end);
  }
  return attributes;
}

/** A fingerprint, where there is one, comes last and covers what is before it (RFC 8489 §14.7). */
function isWhole(datagram: Uint8Array, attributes: readonly StunAttribute[]): boolean {
  const index = attributes.findIndex(({ type }) => type === stunAttributes.fingerprint);
  const found = attributes[index];
  if (found === undefined) return true;
  if (index !== attributes.length - 1 || found.value.length !== 4) return false;
  return viewOf(found.value).getUint32(0) === fingerprintOf(datagram.subarray(0, found.at));
}

/** A message with its attributes, in order; `fingerprint` adds one at the end. */
export function writeStunMessage(
  type: number,
  id: Uint8Array,
  attributes: readonly Pick<StunAttribute, "type" | "value">[],
  fingerprint: boolean,
): Uint8Array {
  const bytes = attributes.reduce((sum, { value }) => sum + padded(4 + value.length), 0);
  const length = bytes + (fingerprint ? 8 : 0);
  const message = new Uint8Array(stunHeaderBytes + length);
  const view = viewOf(message);
  view.setUint16(0, type);
  view.setUint16(2, length);
  message.set(id, 4);
  let at = stunHeaderBytes;
  for (const attribute of attributes) {
    view.setUint16(at, attribute.type);
    view.setUint16(at + 2, attribute.value.length);
    message.set(attribute.value, at + 4);
    at = padded(at + 4 + attribute.value.length);
  }
  if (fingerprint) {
    view.setUint16(at, stunAttributes.fingerprint);
    view.setUint16(at + 2, 4);
    view.setUint32(at + 4, fingerprintOf(message.subarray(0, at)));
  }
  return message;
}

/** Told apart from other checksums by a constant (RFC 8489 §14.7). */
function fingerprintOf(bytes: Uint8Array): number {
  return (crc32(bytes) ^ 0x5354_554e) >>> 0;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
