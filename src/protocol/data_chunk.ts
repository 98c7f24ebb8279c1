import { ActrError } from "../errors.ts";
import {
  allocateFrame,
  allocateFrameAround,
  type Frame,
  frameHeaderBytes,
  type Lane,
} from "./frame.ts";
import { borrowedFromBytes } from "./frame_buffers.ts";
import {
  type MetadataEntry,
  metadataSize,
  noMetadata,
  readMetadata,
  writeMetadata,
} from "./metadata.ts";
import { allocateMessage } from "./pool.ts";
import { WireReader } from "./wire_reader.ts";
import {
  delimitedSize,
  highHalf,
  lowHalf,
  stringSize,
  tag,
  varint32Size,
  varint64Size,
  WireWriter,
  wireTypes,
} from "./wire_writer.ts";

/** One piece of a data stream (`spec/transport.md` §8). */
export interface DataChunk {
  readonly streamId: string;
  /** u64, the application's own. */
  readonly sequence: bigint;
  /** After decoding a view of the received bytes. */
  readonly payload: Uint8Array;
  readonly metadata: readonly MetadataEntry[];
  /** Unix milliseconds, the application's own. Clamped to ±2^53 when read. */
  readonly timestampMs?: number;
}

const tags = {
  streamId: tag(1, wireTypes.delimited),
  sequence: tag(2, wireTypes.varint),
  payload: tag(3, wireTypes.delimited),
  metadata: tag(4, wireTypes.delimited),
  timestampMs: tag(5, wireTypes.varint),
} as const;

/** Longest stream id, UTF-16 units: a stranger's ids are looked up and logged. */
const maxStreamIdLength = 256;

const emptyPayload = new Uint8Array(0);

/** Bytes of a chunk: protobuf `actr.DataChunk`, fields ascending, required ones always written. */
export function encodeDataChunk(chunk: DataChunk): Uint8Array<ArrayBuffer> {
  const [low, high] = halves(chunk.sequence);
  return writeChunk(chunk, low, high, allocateMessage(chunkSize(chunk, low, high)));
}

/** A chunk as a frame, encoded right behind its WebSocket header; around its payload, where that was encoded with room. */
export function dataChunkFrame(lane: Lane, chunk: DataChunk): Frame {
  const [low, high] = halves(chunk.sequence);
  const message = roomFor(chunk, lane, chunkSize(chunk, low, high), varint64Size(low, high));
  const body = writeChunk(chunk, low, high, message.subarray(frameHeaderBytes));
  return { lane, body, message };
}

/** @throws ActrError `invalid_argument` for an id that is empty or longer than {@link maxStreamIdLength}. */
export function checkStreamId(id: string): void {
  if (id.length > 0 && id.length <= maxStreamIdLength) return;
  throw new ActrError(
    "invalid_argument",
    `a stream id of ${id.length} characters; use 1 to ${maxStreamIdLength}`,
  );
}

function halves(sequence: bigint): [low: number, high: number] {
  return [Number(sequence & 0xffff_ffffn), Number((sequence >> 32n) & 0xffff_ffffn)];
}

/** The frame whose body is still to be written. */
function roomFor(
  { streamId, payload }: DataChunk,
  lane: Lane,
  size: number,
  sequenceSize: number,
): Uint8Array<ArrayBuffer> {
  if (payload.length < borrowedFromBytes) return allocateFrame(lane, size);
  const before = 1 + stringSize(streamId) + 1 + sequenceSize + 1 + varint32Size(payload.length);
  return allocateFrameAround(lane, size, payload, before);
}

/** Fills `bytes`, which has just the size. */
function writeChunk(
  chunk: DataChunk,
  low: number,
  high: number,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { streamId, payload, metadata, timestampMs } = chunk;
  const writer = new WireWriter(bytes);
  writer.varint32(tags.streamId);
  writer.string(streamId);
  writer.varint32(tags.sequence);
  writer.varint64(low, high);
  writer.varint32(tags.payload);
  writer.bytes(payload);
  writeMetadata(writer, tags.metadata, metadata);
  if (timestampMs !== undefined) {
    writer.varint32(tags.timestampMs);
    writer.varint64(lowHalf(timestampMs), highHalf(timestampMs));
  }
  return writer.finish();
}

function chunkSize(chunk: DataChunk, low: number, high: number): number {
  const { timestampMs } = chunk;
  let size = 1 + stringSize(chunk.streamId);
  size += 1 + varint64Size(low, high);
  size += 1 + delimitedSize(chunk.payload.length);
  size += metadataSize(chunk.metadata, 1);
  if (timestampMs !== undefined) {
    size += 1 + varint64Size(lowHalf(timestampMs), highHalf(timestampMs));
  }
  return size;
}

type Draft = { -readonly [K in keyof DataChunk]: DataChunk[K] };

/** The chunk in `bytes`, read by the rules of `decodeEnvelope`. @throws ActrError `decode_failure`, nothing else. */
export function decodeDataChunk(bytes: Uint8Array): DataChunk {
  const reader = new WireReader("DataChunk", bytes);
  const chunk: Draft = {
    streamId: "",
    sequence: 0n,
    payload: emptyPayload,
    metadata: noMetadata,
  };
  while (!reader.done) readField(reader, chunk);
  return chunk;
}

function readField(reader: WireReader, chunk: Draft): void {
  const fieldTag = reader.tag();
  switch (fieldTag) {
    case tags.streamId:
      chunk.streamId = reader.string();
      return;
    case tags.sequence:
      chunk.sequence = reader.uint64();
      return;
    case tags.payload:
      chunk.payload = reader.bytes();
      return;
    case tags.metadata:
      chunk.metadata = readMetadata(reader, chunk.metadata);
      return;
    case tags.timestampMs:
      chunk.timestampMs = reader.int64();
      return;
    default:
      reader.skip(fieldTag);
  }
}
