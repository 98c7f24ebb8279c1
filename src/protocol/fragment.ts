/** Bytes before the slice in a DataChannel message (`spec/transport.md` §3). */
export const fragmentHeaderBytes = 8;

/** Largest DataChannel message that every Actr peer reads, header included. */
export const maxChannelMessageBytes = 65_535;

/** Most fragments of one body. */
export const maxFragments = 65_535;

/** What a DataChannel message says of its place (`spec/transport.md` §3). */
export interface FragmentPlace {
  /** Number of the message on its channel, u32. */
  readonly id: number;
  /** Number of the fragment, u16. */
  readonly index: number;
  /** Fragments of the message, u16. */
  readonly total: number;
}

/** The place of a fragment; undefined for what is no fragment. */
export function readFragmentPlace(message: Uint8Array): FragmentPlace | undefined {
  if (message.length < fragmentHeaderBytes) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, fragmentHeaderBytes);
  const [id, index, total] = [view.getUint32(0), view.getUint16(4), view.getUint16(6)];
  return index < total ? { id, index, total } : undefined;
}

/** How many DataChannel messages a body of `length` bytes takes: all but the last are full. */
export function fragmentCount(
  length: number,
  maxMessageBytes: number = maxChannelMessageBytes,
): number {
  return Math.max(1, Math.ceil(length / (maxMessageBytes - fragmentHeaderBytes)));
}

/**
 * Writes one DataChannel message to the front of `target`, which has room for it: message id u32, index u16, count u16,
 * all big-endian, then the slice (`spec/transport.md` §3). Returns its length.
 */
export function writeFragment(
  target: Uint8Array,
  messageId: number,
  index: number,
  count: number,
  slice: Uint8Array,
): number {
  target[0] = messageId >>> 24;
  target[1] = messageId >>> 16;
  target[2] = messageId >>> 8;
  target[3] = messageId;
  target[4] = index >>> 8;
  target[5] = index;
  target[6] = count >>> 8;
  target[7] = count;
  target.set(slice, fragmentHeaderBytes);
  return fragmentHeaderBytes + slice.length;
}
