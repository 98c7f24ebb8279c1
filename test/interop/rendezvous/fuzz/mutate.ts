import { Writer } from "../../peer/protobuf.ts";

/** Where chance comes from: equal seeds, equal messages. */
export interface Chance {
  /** A float in [0, 1). */
  next(): number;
  bytes(length: number): Uint8Array;
}

/** One field of a message as it is written: its number, its tag and value. */
interface Field {
  readonly number: number;
  readonly whole: Uint8Array;
  /** The value of a delimited field. */
  readonly value: Uint8Array | undefined;
}

const deepest = 6;
const longestJunk = 64;

/**
 * `message` with one to three things about it changed; `others` are messages to take parts from. Most changes keep
 * it a protobuf message, so that they reach what looks at its fields; some tear it apart.
 */
export function mutate(
  chance: Chance,
  message: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  let mutated = message;
  for (let left = oneOf(chance, [1, 1, 1, 2, 3]); left > 0; left -= 1) {
    mutated =
      chance.next() < 0.97 ? inFields(chance, mutated, others, 0) : inBytes(chance, mutated);
  }
  return mutated;
}

/** An integer from 0 to below `limit`. */
export function below(chance: Chance, limit: number): number {
  return Math.floor(chance.next() * limit);
}

/** One of `list`. */
export function oneOf<T>(chance: Chance, list: readonly T[]): T {
  const one = list[below(chance, list.length)];
  if (one === undefined) throw new RangeError("nothing to choose from");
  return one;
}

/** Changes one field of a message, or of a message in it. */
function inFields(
  chance: Chance,
  message: Uint8Array,
  others: readonly Uint8Array[],
  depth: number,
): Uint8Array {
  const fields = fieldsOf(message);
  if (fields === undefined || fields.length === 0) return inBytes(chance, message);
  // What a message is about stands last in it; who sent it and why it may, before.
  const at = chance.next() < 0.6 ? fields.length - 1 : below(chance, fields.length);
  const field = fields[at] as Field;
  const { number, value, whole } = field;
  if (value !== undefined && value.length > 0 && depth < deepest && chance.next() < 0.9) {
    return replaced(fields, at, [delimited(number, inFields(chance, value, others, depth + 1))]);
  }
  switch (below(chance, 8)) {
    case 0:
      return replaced(fields, at, []);
    case 1:
      return replaced(fields, at, [whole, whole]);
    case 2:
      return replaced(fields, at, [new Writer().varint(number, oddNumber(chance)).done()]);
    case 3:
      return replaced(fields, at, [delimited(number, chance.bytes(below(chance, longestJunk)))]);
    case 4:
      return replaced(fields, at, [whole, new Writer().varint(oddField(chance), 1).done()]);
    case 5:
      return replaced(fields, at, [renumbered(field, oddField(chance))]);
    case 6:
      return replaced(fields, at, [whole, part(chance, oneOf(chance, others))]);
    default:
      return joined(shuffled(chance, fields).map((each) => each.whole));
  }
}

/** Changes bytes, whatever they mean. */
function inBytes(chance: Chance, message: Uint8Array): Uint8Array {
  const at = below(chance, message.length + 1);
  const [before, after] = [message.subarray(0, at), message.subarray(at)];
  switch (below(chance, 4)) {
    case 0:
      return before;
    case 1:
      return joined([before, chance.bytes(1 + below(chance, 4)), after]);
    case 2:
      return joined([before, after.subarray(1 + below(chance, 4))]);
    default:
      return joined([before, chance.bytes(Math.min(1, after.length)), after.subarray(1)]);
  }
}

/** Numbers at which something may turn. */
function oddNumber(chance: Chance): bigint {
  const shift = BigInt(below(chance, 65));
  return (1n << shift) - BigInt(below(chance, 2));
}

function oddField(chance: Chance): number {
  return 1 + below(chance, chance.next() < 0.9 ? 31 : 2 ** 29 - 1);
}

function renumbered({ value, whole }: Field, number: number): Uint8Array {
  return value === undefined ? whole : delimited(number, value);
}

/** A field of another message. */
function part(chance: Chance, other: Uint8Array): Uint8Array {
  const fields = fieldsOf(other) ?? [];
  return fields.length === 0 ? other : oneOf(chance, fields).whole;
}

function shuffled<T>(chance: Chance, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, order: chance.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function replaced(fields: readonly Field[], at: number, by: readonly Uint8Array[]): Uint8Array {
  const wholes = fields.map(({ whole }) => whole);
  return joined([...wholes.slice(0, at), ...by, ...wholes.slice(at + 1)]);
}

function delimited(number: number, value: Uint8Array): Uint8Array {
  return new Writer().bytes(number, value).done();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** The fields of a message in their order; undefined when it is none. */
function fieldsOf(message: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = varint(message, at);
    if (tag === undefined || tag.value >> 3n === 0n) return undefined;
    const end = endOf(message, Number(tag.value & 7n), tag.end);
    if (end === undefined) return undefined;
    const value = Number(tag.value & 7n) === 2 ? message.subarray(end.from, end.to) : undefined;
    fields.push({ number: Number(tag.value >> 3n), whole: message.subarray(at, end.to), value });
    at = end.to;
  }
  return fields;
}

/** Where the value of a field is that follows its tag. */
function endOf(
  message: Uint8Array,
  wireType: number,
  at: number,
): { from: number; to: number } | undefined {
  const number = varint(message, at);
  const sizes: Record<number, number | undefined> = { 1: 8, 5: 4 };
  if (wireType === 0) return number && { from: at, to: number.end };
  const from = wireType === 2 ? number?.end : at;
  const size = wireType === 2 ? number && Number(number.value) : sizes[wireType];
  if (from === undefined || size === undefined || from + size > message.length) return undefined;
  return { from, to: from + size };
}

function varint(message: Uint8Array, at: number): { value: bigint; end: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = message[at + index];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return undefined;
}
