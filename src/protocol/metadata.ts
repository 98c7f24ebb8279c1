import { ActrError } from "../errors.ts";
import type { WireReader } from "./wire_reader.ts";
import { delimitedSize, stringSize, tag, type WireWriter, wireTypes } from "./wire_writer.ts";

/** One key with its value, as envelopes and chunks carry them. */
export interface MetadataEntry {
  readonly key: string;
  readonly value: string;
}

/** The shared empty list. */
export const noMetadata: readonly MetadataEntry[] = [];

/** Most entries read from one message: an entry costs its sender three bytes and the reader many more. */
export const maxMetadataEntries = 1_024;

const keyTag = tag(1, wireTypes.delimited);
const valueTag = tag(2, wireTypes.delimited);

/** Bytes of an entry without tag and length. */
function entrySize(entry: MetadataEntry): number {
  return 2 + stringSize(entry.key) + stringSize(entry.value);
}

/** Bytes of all entries with their lengths and tags of `tagSize` bytes. */
export function metadataSize(metadata: readonly MetadataEntry[], tagSize: number): number {
  let size = 0;
  for (const entry of metadata) size += tagSize + delimitedSize(entrySize(entry));
  return size;
}

/** Writes all entries, each after `fieldTag`. */
export function writeMetadata(
  writer: WireWriter,
  fieldTag: number,
  metadata: readonly MetadataEntry[],
): void {
  for (const entry of metadata) {
    writer.varint32(fieldTag);
    writer.varint32(entrySize(entry));
    writer.varint32(keyTag);
    writer.string(entry.key);
    writer.varint32(valueTag);
    writer.string(entry.value);
  }
}

/**
 * The entries that were read, and the next one after them; the list grows, but for {@link noMetadata}.
 * @throws ActrError `decode_failure`, also for more than {@link maxMetadataEntries}.
 */
export function readMetadata(
  reader: WireReader,
  metadata: readonly MetadataEntry[],
): readonly MetadataEntry[] {
  if (metadata.length >= maxMetadataEntries) {
    throw new ActrError("decode_failure", `more than ${maxMetadataEntries} metadata entries`);
  }
  const entry = reader.message(readEntry);
  // Most messages have one at most, and a list that grows begins with room for many.
  if (metadata.length === 0) return [entry];
  (metadata as MetadataEntry[]).push(entry);
  return metadata;
}

function readEntry(reader: WireReader): MetadataEntry {
  let key = "";
  let value = "";
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === keyTag) key = reader.string();
    else if (fieldTag === valueTag) value = reader.string();
    else reader.skip(fieldTag);
  }
  return { key, value };
}
