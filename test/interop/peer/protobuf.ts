/** One field as it came: a number for wire type 0, bytes for 1, 2 and 5. */
type Value = bigint | Uint8Array;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes the fields of one proto2 message in the order of the calls, zeros included. */
export class Writer {
  readonly #bytes: number[] = [];
  readonly #parts: Uint8Array[] = [];

  /** uint32, uint64, int64, bool and enum alike. */
  varint(field: number, value: number | bigint | boolean): this {
    this.#push(field, 0);
    this.#number(BigInt(value));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#push(field, 2);
    this.#number(BigInt(value.length));
    this.#flush();
    this.#parts.push(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Writer): this {
    return this.bytes(field, value.done());
  }

  float(field: number, value: number): this {
    this.#push(field, 5);
    const four = new DataView(new ArrayBuffer(4));
    four.setFloat32(0, value, true);
    this.#bytes.push(...new Uint8Array(four.buffer));
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const all = new Uint8Array(size);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #push(field: number, wireType: number): void {
    this.#number(BigInt((field << 3) | wireType));
  }

  #number(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes.push(Number(rest & 0x7fn) | 0x80);
    this.#bytes.push(Number(rest));
  }

  #flush(): void {
    this.#parts.push(Uint8Array.from(this.#bytes.splice(0)));
  }
}

/** The fields of one message that was received; of repeated singular fields the last counts. */
export class Fields {
  readonly #values = new Map<number, Value[]>();

  constructor(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; ) at = this.#read(bytes, at);
  }

  /** The numbers of the fields that are there, in the order in which each came first. */
  get numbers(): number[] {
    return [...this.#values.keys()];
  }

  has(field: number): boolean {
    return this.#values.has(field);
  }

  varint(field: number): bigint | undefined {
    const value = this.#values.get(field)?.at(-1);
    return typeof value === "bigint" ? value : undefined;
  }

  /** A field that fits a JS number. */
  number(field: number): number | undefined {
    const value = this.varint(field);
    return value === undefined ? undefined : Number(value);
  }

  bytes(field: number): Uint8Array | undefined {
    return this.all(field).at(-1);
  }

  all(field: number): Uint8Array[] {
    return (this.#values.get(field) ?? []).filter((value) => typeof value !== "bigint");
  }

  text(field: number): string | undefined {
    const value = this.bytes(field);
    return value === undefined ? undefined : decoder.decode(value);
  }

  message(field: number): Fields | undefined {
    const value = this.bytes(field);
    return value === undefined ? undefined : new Fields(value);
  }

  #read(bytes: Uint8Array, start: number): number {
    const [tag, at] = readVarint(bytes, start);
    const [field, wireType] = [Number(tag >> 3n), Number(tag & 7n)];
    const [value, end] = readValue(bytes, at, wireType);
    this.#values.set(field, [...(this.#values.get(field) ?? []), value]);
    return end;
  }
}

function readValue(bytes: Uint8Array, at: number, wireType: number): [Value, number] {
  if (wireType === 0) return readVarint(bytes, at);
  if (wireType === 3) return readGroup(bytes, at);
  const [start, length] = wireType === 2 ? prefixed(bytes, at) : [at, wireType === 1 ? 8 : 4];
  if (![1, 2, 5].includes(wireType) || start + length > bytes.length)
    throw new RangeError(`malformed field of wire type ${wireType} at byte ${at}`);
  return [bytes.subarray(start, start + length), start + length];
}

/** An unknown field in the form of a group, which every reader has to skip: what is between its two tags, and the second. */
function readGroup(bytes: Uint8Array, start: number): [Value, number] {
  for (let at = start; ; ) {
    const [tag, next] = readVarint(bytes, at);
    const wireType = Number(tag & 7n);
    if (wireType === 4) return [bytes.subarray(start, next), next];
    [, at] = readValue(bytes, next, wireType);
  }
}

function prefixed(bytes: Uint8Array, at: number): [number, number] {
  const [length, start] = readVarint(bytes, at);
  return [start, Number(length)];
}

function readVarint(bytes: Uint8Array, start: number): [bigint, number] {
  let value = 0n;
  for (let at = start, shift = 0n; shift < 70n; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new RangeError(`malformed varint at byte ${start}`);
}
