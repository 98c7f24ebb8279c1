/** CBOR tags that values of JavaScript are written with (RFC 8746, IANA registry; `spec/actor-client.md` §5.2). */
export const tags = {
  /** Seconds since the epoch. */
  date: 1,
  positiveBigInt: 2,
  negativeBigInt: 3,
  set: 258,
  map: 259,
} as const;

/** A constructor of typed arrays over a whole buffer. */
export type TypedArrayConstructor = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Typed arrays, little endian, by their tag. */
export const typedArrays: ReadonlyMap<number, TypedArrayConstructor> = new Map<
  number,
  TypedArrayConstructor
>([
  [68, Uint8ClampedArray],
  [69, Uint16Array],
  [70, Uint32Array],
  [71, BigUint64Array],
  [72, Int8Array],
  [77, Int16Array],
  [78, Int32Array],
  [79, BigInt64Array],
  [85, Float32Array],
  [86, Float64Array],
]);
