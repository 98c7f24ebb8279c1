const typed = Object.getPrototypeOf(Uint8Array.prototype);
/** Reads a getter's value past whatever the guest put in its place. */
function getter(name: string | symbol): (of: unknown) => unknown {
  const read = Object.getOwnPropertyDescriptor(typed, name)?.get ?? (() => undefined);
  return Function.prototype.call.bind(read);
}
const Bytes = Uint8Array;
const Buffer = ArrayBuffer;
const kind = getter(Symbol.toStringTag);
const bufferOf = getter("buffer") as (of: unknown) => ArrayBuffer;
const lengthOf = getter("byteLength") as (of: unknown) => number;

/** Whether it is a `Uint8Array`; asks nothing that the guest could answer. */
export function isBytes(value: unknown): value is Uint8Array {
  return typeof value === "object" && kind(value) === "Uint8Array";
}

/** The bytes as a buffer that holds nothing else. @throws TypeError when they are no `Uint8Array`. */
export function exactBuffer(bytes: unknown, what: string): ArrayBuffer {
  if (!isBytes(bytes)) throw new TypeError(`${what} must be a Uint8Array`);
  return bufferWith(bytes);
}

/** As {@link exactBuffer} for what is known to be bytes. */
export function bufferWith(bytes: Uint8Array): ArrayBuffer {
  const length = lengthOf(bytes);
  if (length === 0) return new Buffer(0);
  const buffer = bufferOf(bytes);
  if (buffer.byteLength === length) return buffer;
  return new Bytes(bytes).buffer;
}

/** Bytes that a guest is given. */
export function bytesOf(buffer: ArrayBuffer | undefined): Uint8Array {
  return new Bytes(buffer ?? new Buffer(0));
}
