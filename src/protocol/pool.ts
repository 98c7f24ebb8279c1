const slabBytes = 8_192;

/** Longer messages have a buffer of their own, bytes. */
const largestPooled = 1_024;

let slab = new Uint8Array(slabBytes);
let used = 0;

/**
 * `size` zero bytes for one short-lived message. Small ones are views of a common buffer, since a buffer of its own
 * costs more than encoding the message; so never hand on their `buffer`, and copy what goes to isolated code.
 */
export function allocateMessage(size: number): Uint8Array<ArrayBuffer> {
  if (size > largestPooled) return new Uint8Array(size);
  if (used + size > slabBytes) {
    slab = new Uint8Array(slabBytes);
    used = 0;
  }
  const start = used;
  used += size;
  return slab.subarray(start, used);
}
