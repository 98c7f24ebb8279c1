/** Bytes before the slice, and of a whole DataChannel message at most (`spec/transport.md` §3). */
export const headerBytes = 8;
export const maxMessageBytes = 65_535;

/** One message: id u32, index u16, count u16, big-endian, then the slice. */
export function fragment(
  id: number,
  index: number,
  count: number,
  slice: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(headerBytes + slice.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, id);
  view.setUint16(4, index);
  view.setUint16(6, count);
  message.set(slice, headerBytes);
  return message;
}

/** A body as messages, all but the last full. */
export function fragments(
  id: number,
  body: Uint8Array,
  messageBytes = maxMessageBytes,
): Uint8Array<ArrayBuffer>[] {
  const room = messageBytes - headerBytes;
  const count = Math.max(1, Math.ceil(body.length / room));
  return Array.from({ length: count }, (_, index) =>
    fragment(id, index, count, body.subarray(index * room, (index + 1) * room)),
  );
}

/** Puts the bodies of one channel together; any order of fragments, messages interleaved. */
export class Assembly {
  readonly #partial = new Map<number, Map<number, Uint8Array>>();

  /** The body that `message` completes. */
  add(message: Uint8Array): Uint8Array | undefined {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const [id, index, count] = [view.getUint32(0), view.getUint16(4), view.getUint16(6)];
    const slice = message.subarray(headerBytes);
    if (count === 1) return slice;
    const parts = this.#partial.get(id) ?? new Map<number, Uint8Array>();
    this.#partial.set(id, parts.set(index, slice));
    if (parts.size < count) return undefined;
    this.#partial.delete(id);
    return Buffer.concat(Array.from({ length: count }, (_, at) => parts.get(at) ?? slice));
  }
}
