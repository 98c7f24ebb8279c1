import { type DescMessage, type MessageShape, ScalarType, toBinary } from "@bufbuild/protobuf";
import { borrowedFromBytes, borrowWithRoom } from "./frame_buffers.ts";
import { allocateMessage } from "./pool.ts";
import { delimitedSize, tag, varint32Size, WireWriter, wireTypes } from "./wire_writer.ts";

/** Bytes from which on a field is written here: the library would write it into twice the room and copy it out again. */
const largeBytes = borrowedFromBytes;

const empty = new Uint8Array(0);

/** A field that holds one string of bytes: its name in a message, and its tag. */
interface BytesField {
  readonly name: string;
  readonly tag: number;
}

const bytesFields = new WeakMap<DescMessage, readonly BytesField[]>();

/** Gives bytes to write a message into. */
type Allocate = (size: number) => Uint8Array<ArrayBuffer>;

/**
 * Bytes of a message, its first large field of bytes behind all others, copied once: readers take fields in any order.
 * Undefined when none is large.
 */
export function encodeLarge<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): Uint8Array<ArrayBuffer> | undefined {
  return encodeInto(allocateMessage, schema, message);
}

/** The same for what becomes one frame and is seen by nobody else: with room for the frame, in a buffer that is used again. */
export function encodeLargeForFrame<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): Uint8Array<ArrayBuffer> | undefined {
  return encodeInto(borrowWithRoom, schema, message);
}

function encodeInto<D extends DescMessage>(
  allocate: Allocate,
  schema: D,
  message: MessageShape<D>,
): Uint8Array<ArrayBuffer> | undefined {
  for (const field of bytesFieldsOf(schema)) {
    const value: unknown = message[field.name as keyof MessageShape<D>];
    if (value instanceof Uint8Array && value.length >= largeBytes) {
      return encodeBehind(allocate, schema, message, field, value);
    }
  }
  return undefined;
}

/** Of a field that comes twice, readers take the second: an empty one may stand in its old place. */
function encodeBehind<D extends DescMessage>(
  allocate: Allocate,
  schema: D,
  message: MessageShape<D>,
  field: BytesField,
  value: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bare = Object.create(Object.getPrototypeOf(message)) as MessageShape<D>;
  const others = toBinary(schema, Object.assign(bare, message, { [field.name]: empty }));
  const size = varint32Size(field.tag) + delimitedSize(value.length);
  const bytes = allocate(others.length + size);
  bytes.set(others);
  const writer = new WireWriter(bytes.subarray(others.length));
  writer.varint32(field.tag);
  writer.bytes(value);
  writer.finish();
  return bytes;
}

function bytesFieldsOf(schema: DescMessage): readonly BytesField[] {
  const known = bytesFields.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields.flatMap((field) =>
    field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES && field.oneof === undefined
      ? [{ name: field.localName, tag: tag(field.number, wireTypes.delimited) }]
      : [],
  );
  bytesFields.set(schema, fields);
  return fields;
}
