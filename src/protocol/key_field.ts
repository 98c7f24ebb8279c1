import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FieldScanner } from "./field_scanner.ts";
import { wireTypes } from "./wire_writer.ts";

/** How the value of a field may become a key (`spec/node.md` §10.3); an enum is an int32. */
const keyKinds = [
  "bool",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed32",
  "sfixed64",
  "string",
  "bytes",
] as const;

/** One of {@link keyKinds}. */
export type KeyKind = (typeof keyKinds)[number];

/** A field whose value can be a key. */
export interface KeyField {
  readonly number: number;
  readonly kind: KeyKind;
}

/** Largest number of a field. */
const maxNumber = 2 ** 29 - 1;

/** Whether a value is a field as somebody wrote it down. */
export function isKeyField(value: unknown): value is KeyField {
  if (typeof value !== "object" || value === null) return false;
  const { number, kind } = value as Partial<KeyField>;
  if (!Number.isInteger(number) || Number(number) < 1 || Number(number) > maxNumber) return false;
  return keyKinds.some((known) => known === kind);
}

/** Longest string or bytes that are a key. */
const maxKeyBytes = 4_096;

const kinds: Partial<Readonly<Record<ScalarType, KeyKind>>> = {
  [ScalarType.BOOL]: "bool",
  [ScalarType.INT32]: "int32",
  [ScalarType.INT64]: "int64",
  [ScalarType.UINT32]: "uint32",
  [ScalarType.UINT64]: "uint64",
  [ScalarType.SINT32]: "sint32",
  [ScalarType.SINT64]: "sint64",
  [ScalarType.FIXED32]: "fixed32",
  [ScalarType.FIXED64]: "fixed64",
  [ScalarType.SFIXED32]: "sfixed32",
  [ScalarType.SFIXED64]: "sfixed64",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
};

/** The field of `message` by its generated name; undefined when there is none, or when it is a float, a message, a list or a map. */
export function keyField(message: DescMessage, name: string): KeyField | undefined {
  const field = message.fields.find(({ localName }) => localName === name);
  const kind = field && keyKind(field);
  return kind && { number: field.number, kind };
}

function keyKind(field: DescField): KeyKind | undefined {
  if (field.fieldKind === "enum") return "int32";
  return field.fieldKind === "scalar" ? kinds[field.scalar] : undefined;
}

/**
 * The value of a top-level field as a key, read from an encoded message without decoding it. Equal
 * values give equal keys, however they are encoded. Undefined when the field is missing, repeated, out of
 * range, of another wire type, not UTF-8 or longer than 4096 bytes, or the message is malformed
 * or has a group. Never throws.
 */
export function projectField(bytes: Uint8Array, field: KeyField): string | undefined {
  const scanner = new FieldScanner(bytes);
  let key: string | undefined;
  while (!scanner.done) {
    if (!scanner.tag()) return undefined;
    if (scanner.number === field.number) {
      if (key !== undefined || scanner.wireType !== wireTypeOf(field.kind)) return undefined;
      if (!scanner.value()) return undefined;
      key = keyOf(scanner, field.kind);
      if (key === undefined) return undefined;
    } else if (!scanner.value()) {
      return undefined;
    }
  }
  return key;
}

function wireTypeOf(kind: KeyKind): number {
  switch (kind) {
    case "fixed32":
    case "sfixed32":
      return wireTypes.fixed32;
    case "fixed64":
    case "sfixed64":
      return wireTypes.fixed64;
    case "string":
    case "bytes":
      return wireTypes.delimited;
    default:
      return wireTypes.varint;
  }
}

/** The value just read as a key: a number as the halves of its 64-bit two's complement, whatever its type, so that methods with different types can share keys. */
function keyOf(scanner: FieldScanner, kind: KeyKind): string | undefined {
  const { low, high } = scanner;
  switch (kind) {
    case "string":
      return low <= maxKeyBytes ? scanner.text() : undefined;
    case "bytes":
      return low <= maxKeyBytes ? scanner.latin1() : undefined;
    case "bool":
      return high === 0 && low <= 1 ? numberKey(low, high) : undefined;
    case "uint32":
      return high === 0 ? numberKey(low, high) : undefined;
    case "int32":
      return high === signOf(low) ? numberKey(low, high) : undefined;
    case "sint32":
      return high === 0 ? zigzagKey(low, high) : undefined;
    case "sint64":
      return zigzagKey(low, high);
    case "sfixed32":
      return numberKey(low, signOf(low));
    default:
      return numberKey(low, high);
  }
}

/** The upper half of a 32-bit number that is extended to 64 bits by its sign. */
function signOf(low: number): number {
  return ((low | 0) >> 31) >>> 0;
}

function zigzagKey(low: number, high: number): string {
  const sign = -(low & 1);
  return numberKey((((low >>> 1) | (high << 31)) ^ sign) >>> 0, ((high >>> 1) ^ sign) >>> 0);
}

function numberKey(low: number, high: number): string {
  return high === 0 ? String(low) : `${high}:${low}`;
}
