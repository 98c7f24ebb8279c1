import type { ActrError } from "../errors.ts";
import type { DataChunk } from "./data_chunk.ts";
import type { MetadataEntry } from "./metadata.ts";
import { errorMetadata, fromWireErrorWith, toWireError } from "./wire_error.ts";

/** Key of the metadata entry that ends a stream between Roost nodes; the wire has no end of its own (`spec/transport.md` §8), and other Actr peers see an empty chunk. */
const endKey = "roost-stream-end";

/** Value of an end that is no failure; of one that is, its number on the wire, a space and its text. */
const complete = "ok";

/** Metadata of a stream's last chunk. */
export function streamEndMetadata(error?: ActrError): readonly MetadataEntry[] {
  if (error === undefined) return [{ key: endKey, value: complete }];
  const { code, message } = toWireError(error);
  return [{ key: endKey, value: `${code} ${message}` }, ...errorMetadata(error)];
}

/** How `chunk` ends its stream: as a whole, or with the error that its writer gave up with; undefined when it does not. */
export function streamEndOf(chunk: DataChunk): { readonly error?: ActrError } | undefined {
  for (const { key, value } of chunk.metadata) {
    if (key === endKey) return value === complete ? {} : { error: endError(value, chunk.metadata) };
  }
  return undefined;
}

function endError(value: string, metadata: readonly MetadataEntry[]): ActrError {
  const [, digits = "0", message = value] = /^([0-9]{1,9}) (.*)$/s.exec(value) ?? [];
  return fromWireErrorWith({ code: Number(digits), message }, metadata);
}
