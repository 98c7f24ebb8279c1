import { ActrError } from "../errors.ts";
import { invalid } from "./invalid.ts";
import { requireName } from "./names.ts";
import { isU32, isU64, parseHexU64, parseU32 } from "./numbers.ts";
import { WireReader } from "./wire_reader.ts";
import {
  delimitedSize,
  stringSize,
  tag,
  varint32Size,
  varint64Size,
  WireWriter,
  wireTypes,
} from "./wire_writer.ts";

/** What a node is: `manufacturer:name:version` (`spec/protocol.md` §3.1). */
export interface ActrType {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
}

/** Who a node is: `<serial hex>@<realm>/<type>` (`spec/protocol.md` §3.1). */
export interface ActrId {
  /** u32. */
  readonly realm: number;
  /** u64. */
  readonly serial: bigint;
  readonly type: ActrType;
}

/** How strictly to read a text form. */
export interface ParseOptions {
  /** Whether manufacturer and name must be valid names and the version non-empty, as clients demand and servers do not. @default true */
  readonly checkNames?: boolean;
}

/** Text form of a type. */
export function formatActrType(type: ActrType): string {
  return `${type.manufacturer}:${type.name}:${type.version}`;
}

/** The type in `text`. @throws ActrError `invalid_argument`, details `kind` `InvalidTypeFormat` or `InvalidComponent`. */
export function parseActrType(text: string, options: ParseOptions = {}): ActrType {
  const parts = text.split(":", 4);
  const [manufacturer, name, version] = parts;
  if (
    parts.length !== 3 ||
    manufacturer === undefined ||
    name === undefined ||
    version === undefined
  ) {
    throw invalid("InvalidTypeFormat", "expected manufacturer:name:version", text);
  }
  if (options.checkNames ?? true) checkNames(text, { manufacturer, name, version });
  return { manufacturer, name, version };
}

function checkNames(text: string, type: ActrType): void {
  requireName("name", type.manufacturer);
  requireName("name", type.name);
  if (type.version === "") throw invalid("InvalidComponent", "expected a version", text);
}

/** Canonical text form of an id, the one that credentials carry. @throws ActrError `invalid_argument` when realm is not a u32 or serial not a u64. */
export function formatActrId(id: ActrId): string {
  requireNumbers(id);
  return `${id.serial.toString(16)}@${id.realm}/${formatActrType(id.type)}`;
}

/** Refuses an id whose numbers do not fit the wire. @throws ActrError `invalid_argument`. */
export function requireNumbers(id: ActrId): void {
  if (!isU32(id.realm)) throw outOfRange("realm", "u32", id.realm);
  if (!isU64(id.serial)) throw outOfRange("serial", "u64", id.serial);
}

function outOfRange(field: string, range: string, value: number | bigint): ActrError {
  return new ActrError("invalid_argument", `expected a ${range} as ${field}, got ${value}`, {
    details: { kind: "InvalidComponent" },
  });
}

/** The id in `text`. @throws ActrError `invalid_argument`, details `kind` `InvalidFormat`, `InvalidComponent` or `InvalidTypeFormat`. */
export function parseActrId(text: string, options: ParseOptions = {}): ActrId {
  const at = text.indexOf("@");
  const slash = text.indexOf("/", at + 1);
  if (at < 0 || slash < 0) {
    throw invalid("InvalidFormat", "expected serial@realm/manufacturer:name:version", text);
  }
  const serial = parseHexU64(text.slice(0, at));
  if (serial === undefined) {
    throw invalid("InvalidComponent", "expected a hexadecimal u64 before @", text);
  }
  const realm = parseU32(text.slice(at + 1, slash));
  if (realm === undefined) {
    throw invalid("InvalidComponent", "expected a decimal u32 between @ and /", text);
  }
  return { realm, serial, type: parseActrType(text.slice(slash + 1), options) };
}

/** Whether two types are the same. */
export function actrTypeEquals(a: ActrType, b: ActrType): boolean {
  return a.manufacturer === b.manufacturer && a.name === b.name && a.version === b.version;
}

/** Whether two ids are the same, type included. */
export function actrIdEquals(a: ActrId, b: ActrId): boolean {
  return isSamePeer(a, b) && actrTypeEquals(a.type, b.type);
}

/** Whether two ids name the same node: realm and serial, as relays route (`spec/protocol.md` §3.3). */
export function isSamePeer(a: ActrId, b: ActrId): boolean {
  return a.serial === b.serial && a.realm === b.realm;
}

/** Map key of a node: the same for two ids exactly if {@link isSamePeer} holds. */
export function peerKey(id: ActrId): string {
  return `${id.serial.toString(16)}@${id.realm}`;
}

const tags = {
  realm: tag(1, wireTypes.delimited),
  realmId: tag(1, wireTypes.varint),
  serial: tag(2, wireTypes.varint),
  type: tag(3, wireTypes.delimited),
  manufacturer: tag(1, wireTypes.delimited),
  name: tag(2, wireTypes.delimited),
  version: tag(3, wireTypes.delimited),
} as const;

/** Bytes of an id: protobuf `actr.ActrId`, zeros written. @throws ActrError `invalid_argument` when realm is not a u32 or serial not a u64. */
export function encodeActrId(id: ActrId): Uint8Array<ArrayBuffer> {
  requireNumbers(id);
  const { manufacturer, name, version } = id.type;
  const low = Number(id.serial & 0xffff_ffffn);
  const high = Number(id.serial >> 32n);
  const realmSize = 1 + varint32Size(id.realm);
  const typeSize = 3 + stringSize(manufacturer) + stringSize(name) + stringSize(version);
  const size = 3 + delimitedSize(realmSize) + varint64Size(low, high) + delimitedSize(typeSize);
  const writer = new WireWriter(new Uint8Array(size));
  writer.varint32(tags.realm);
  writer.varint32(realmSize);
  writer.varint32(tags.realmId);
  writer.varint32(id.realm);
  writer.varint32(tags.serial);
  writer.varint64(low, high);
  writer.varint32(tags.type);
  writer.varint32(typeSize);
  writer.varint32(tags.manufacturer);
  writer.string(manufacturer);
  writer.varint32(tags.name);
  writer.string(name);
  writer.varint32(tags.version);
  writer.string(version);
  return writer.finish();
}

/** The id in `bytes`; names are not checked. @throws ActrError `decode_failure`, also when realm, serial or type is missing. */
export function decodeActrId(bytes: Uint8Array): ActrId {
  const reader = new WireReader("ActrId", bytes);
  let realm: number | undefined;
  let serial: bigint | undefined;
  let type: ActrType | undefined;
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.realm) realm = reader.message(readRealm);
    else if (fieldTag === tags.serial) serial = reader.uint64();
    else if (fieldTag === tags.type) type = reader.message(readType);
    else reader.skip(fieldTag);
  }
  if (realm === undefined || serial === undefined || type === undefined) {
    throw new ActrError("decode_failure", "ActrId: realm, serial number or type is missing");
  }
  return { realm, serial, type };
}

function readRealm(reader: WireReader): number {
  let realm = 0;
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.realmId) realm = reader.uint32();
    else reader.skip(fieldTag);
  }
  return realm;
}

function readType(reader: WireReader): ActrType {
  let [manufacturer, name, version] = ["", "", ""];
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.manufacturer) manufacturer = reader.string();
    else if (fieldTag === tags.name) name = reader.string();
    else if (fieldTag === tags.version) version = reader.string();
    else reader.skip(fieldTag);
  }
  return { manufacturer, name, version };
}
