/**
 * The wire of a method that answers with a stream, between Roost nodes. It is made of what every Actr peer knows,
 * a request and data chunks, and of metadata that others ignore:
 *
 * | Step   | From   | What |
 * | ------ | ------ | ---- |
 * | open   | caller | a request of the method's route; `roost-stream` = window in bytes, a space, the stream's id |
 * | opened | server | an empty answer, or an error; and a first, empty chunk with `roost-stream-open` |
 * | item   | server | a chunk: one encoded message |
 * | read   | caller | an empty chunk; `roost-stream-read` = weight of all items that were read so far |
 * | end    | server | an empty chunk with `roost-stream-end`: whole, or the error (`stream_end.ts`) |
 * | leave  | caller | the same: it wants no more, which the server ends as well; or it has got it all |
 *
 * The caller's chunks carry the id with ` back` behind it, since a node may be its own caller; both sides take chunks of
 * the other alone. The server sends an item only while those that were sent and not read weigh less than the window;
 * on STREAM_LATENCY_FIRST items may be lost, so they are sent regardless. The opening is never repeated: its stream would have two beginnings.
 */

import type { DataChunk } from "./data_chunk.ts";
import type { MetadataEntry } from "./metadata.ts";

const requestKey = "roost-stream";
const openKey = "roost-stream-open";
const readKey = "roost-stream-read";

/** What an item weighs beside its bytes, so that empty ones are bounded too. */
const overheadBytes = 64;

/** What a caller asks for. */
export interface StreamRequest {
  readonly streamId: string;
  /** Weight of the items that may be sent and not read. */
  readonly windowBytes: number;
}

/** The id under which the caller of stream `streamId` says what it has read. */
export function backId(streamId: string): string {
  return `${streamId} back`;
}

/** What an item counts against the window. */
export function itemWeight(payload: Uint8Array): number {
  return payload.length + overheadBytes;
}

/** Metadata of the request that opens a stream. */
export function streamRequestMetadata(request: StreamRequest): MetadataEntry {
  return { key: requestKey, value: `${request.windowBytes} ${request.streamId}` };
}

/** The stream that a request asks for; undefined when it asks for none. */
export function streamRequestOf(metadata: readonly MetadataEntry[]): StreamRequest | undefined {
  const value = metadata.find(({ key }) => key === requestKey)?.value ?? "";
  const [, digits, streamId] = /^([1-9][0-9]{0,9}) (.+)$/s.exec(value) ?? [];
  if (digits === undefined || streamId === undefined) return undefined;
  return { streamId, windowBytes: Number(digits) };
}

/** Metadata of a stream's first chunk, which tells the caller by which connection it comes. */
export const openedMetadata: readonly MetadataEntry[] = [{ key: openKey, value: "1" }];

/** Whether `chunk` only says that the stream is open. */
export function isOpened(chunk: DataChunk): boolean {
  return chunk.metadata.some(({ key }) => key === openKey);
}

/** Metadata of the chunk by which a caller says how much it has read. */
export function readMetadata(weight: number): readonly MetadataEntry[] {
  return [{ key: readKey, value: String(weight) }];
}

/** How much a caller has read, as `chunk` says; undefined when it says nothing of it. */
export function readWeightOf(chunk: DataChunk): number | undefined {
  const value = chunk.metadata.find(({ key }) => key === readKey)?.value;
  return value !== undefined && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}
