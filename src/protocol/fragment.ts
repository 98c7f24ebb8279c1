import { ActrError } from "../errors.ts";

/** Bytes before the slice in a DataChannel message (`spec/transport.md` §3). */
export const fragmentHeaderBytes = 8;

/** Largest DataChannel message that every Actr peer reads, header included. */
export const maxChannelMessageBytes = 65_535;

/** Most fragments of one body. */
export const maxFragments = 65_535;

/** How many DataChannel messages a body of `length` bytes takes. */
export function fragmentCount(
  length: number,
  maxMessageBytes: number = maxChannelMessageBytes,
): number {
  return Math.max(1, Math.ceil(length / (maxMessageBytes - fragmentHeaderBytes)));
}

/**
 * DataChannel messages of one body, in order: message id u32, index u16, count u16, all big-endian, then a slice;
 * all but the last are full (`spec/transport.md` §3).
 * @throws ActrError `invalid_argument` when the body needs more than 65535 fragments. RangeError when a message has no room for a byte.
 */
export function splitBody(
  body: Uint8Array,
  messageId: number,
  maxMessageBytes: number = maxChannelMessageBytes,
): Uint8Array<ArrayBuffer>[] {
  const room = maxMessageBytes - fragmentHeaderBytes;
  if (!(room >= 1)) throw new RangeError(`no room in messages of ${maxMessageBytes} bytes`);
  const count = fragmentCount(body.length, maxMessageBytes);
  if (count > maxFragments) {
    throw new ActrError(
      "invalid_argument",
      `a body of ${body.length} bytes needs ${count} fragments, the limit is ${maxFragments}; send less`,
    );
  }
  return Array.from({ length: count }, (_, index) =>
    fragment(messageId, index, count, body.subarray(index * room, (index + 1) * room)),
  );
}

function fragment(
  messageId: number,
  index: number,
  count: number,
  slice: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(fragmentHeaderBytes + slice.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, messageId);
  view.setUint16(4, index);
  view.setUint16(6, count);
  message.set(slice, fragmentHeaderBytes);
  return message;
}
