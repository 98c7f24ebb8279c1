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

export type { MetadataEntry } from "./metadata.ts";

/** What an envelope is, by its wire number (`spec/transport.md` §7.1). */
export const directions = { unspecified: 0, request: 1, response: 2, tell: 3 } as const;

/** The wire number of a direction; unknown numbers are read as `unspecified`. */
export type Direction = (typeof directions)[keyof typeof directions];

/** An error as it travels in a response; `wire_error.ts` converts it. */
export interface WireError {
  /** u32, 10001 to 10011 (`spec/transport.md` §7.3). */
  readonly code: number;
  readonly message: string;
}

/** One request, response or tell (`spec/transport.md` §7.1). */
export interface RpcEnvelope {
  /** `package.Service.Method`. */
  readonly routeKey: string;
  /** Encoded message; absent is not the same as empty. After decoding a view of the received bytes. */
  readonly payload?: Uint8Array | undefined;
  readonly error?: WireError | undefined;
  readonly direction: Direction;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** The same in a request, its retries and its response. */
  readonly requestId: string;
  readonly metadata: readonly MetadataEntry[];
  /** Milliseconds; 0 in responses and tells. Clamped to ±2^53 when read. */
  readonly timeoutMs: number;
}

const tags = {
  routeKey: tag(1, wireTypes.delimited),
  payload: tag(2, wireTypes.delimited),
  error: tag(3, wireTypes.delimited),
  direction: tag(4, wireTypes.varint),
  traceparent: tag(100, wireTypes.delimited),
  tracestate: tag(101, wireTypes.delimited),
  requestId: tag(102, wireTypes.delimited),
  metadata: tag(103, wireTypes.delimited),
  timeoutMs: tag(104, wireTypes.varint),
  errorCode: tag(1, wireTypes.varint),
  errorMessage: tag(2, wireTypes.delimited),
} as const;

/** Bytes of an envelope: protobuf `actr.RpcEnvelope`, fields ascending, required ones always written. */
export function encodeEnvelope(envelope: RpcEnvelope): Uint8Array<ArrayBuffer> {
  return writeEnvelope(envelope, allocateMessage(envelopeSize(envelope)));
}

/** An envelope as a frame, encoded right behind its WebSocket header; around its payload, where that was encoded with room. */
export function envelopeFrame(lane: Lane, envelope: RpcEnvelope): Frame {
  const message = roomFor(envelope, lane, envelopeSize(envelope));
  const body = writeEnvelope(envelope, message.subarray(frameHeaderBytes));
  return { lane, body, message };
}

/** The frame whose body is still to be written. */
function roomFor(
  { routeKey, payload }: RpcEnvelope,
  lane: Lane,
  size: number,
): Uint8Array<ArrayBuffer> {
  if (payload === undefined || payload.length < borrowedFromBytes) return allocateFrame(lane, size);
  const before = 1 + stringSize(routeKey) + 1 + varint32Size(payload.length);
  return allocateFrameAround(lane, size, payload, before);
}

/** Fills `bytes`, which has just the size. */
function writeEnvelope(
  envelope: RpcEnvelope,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { payload, error, direction, traceparent, tracestate, timeoutMs } = envelope;
  const writer = new WireWriter(bytes);
  writer.varint32(tags.routeKey);
  writer.string(envelope.routeKey);
  if (payload !== undefined) {
    writer.varint32(tags.payload);
    writer.bytes(payload);
  }
  if (error !== undefined) writeError(writer, error);
  if (direction !== directions.unspecified) {
    writer.varint32(tags.direction);
    writer.varint32(direction);
  }
  if (traceparent !== undefined) {
    writer.varint32(tags.traceparent);
    writer.string(traceparent);
  }
  if (tracestate !== undefined) {
    writer.varint32(tags.tracestate);
    writer.string(tracestate);
  }
  writer.varint32(tags.requestId);
  writer.string(envelope.requestId);
  writeMetadata(writer, tags.metadata, envelope.metadata);
  writer.varint32(tags.timeoutMs);
  writer.varint64(lowHalf(timeoutMs), highHalf(timeoutMs));
  return writer.finish();
}

function envelopeSize(envelope: RpcEnvelope): number {
  const { payload, error, direction, traceparent, tracestate, timeoutMs } = envelope;
  let size = 1 + stringSize(envelope.routeKey);
  if (payload !== undefined) size += 1 + delimitedSize(payload.length);
  if (error !== undefined) size += 1 + delimitedSize(errorSize(error));
  if (direction !== directions.unspecified) size += 2;
  if (traceparent !== undefined) size += 2 + stringSize(traceparent);
  if (tracestate !== undefined) size += 2 + stringSize(tracestate);
  size += 2 + stringSize(envelope.requestId);
  size += metadataSize(envelope.metadata, 2);
  return size + 2 + varint64Size(lowHalf(timeoutMs), highHalf(timeoutMs));
}

function errorSize(error: WireError): number {
  return 2 + varint32Size(error.code) + stringSize(error.message);
}

function writeError(writer: WireWriter, error: WireError): void {
  writer.varint32(tags.error);
  writer.varint32(errorSize(error));
  writer.varint32(tags.errorCode);
  writer.varint32(error.code);
  writer.varint32(tags.errorMessage);
  writer.string(error.message);
}

type Draft = { -readonly [K in keyof RpcEnvelope]: RpcEnvelope[K] };

/**
 * The envelope in `bytes`. A missing required field reads as empty or 0, as other Actr peers do;
 * the last of a repeated single field wins; unknown fields are skipped.
 * @throws ActrError `decode_failure`, nothing else.
 */
export function decodeEnvelope(bytes: Uint8Array): RpcEnvelope {
  const reader = new WireReader("RpcEnvelope", bytes);
  const envelope: Draft = {
    routeKey: "",
    direction: directions.unspecified,
    requestId: "",
    metadata: noMetadata,
    timeoutMs: 0,
  };
  while (!reader.done) readField(reader, envelope);
  return envelope;
}

function readField(reader: WireReader, envelope: Draft): void {
  const fieldTag = reader.tag();
  switch (fieldTag) {
    case tags.routeKey:
      envelope.routeKey = reader.string();
      return;
    case tags.payload:
      envelope.payload = reader.bytes();
      return;
    case tags.error:
      envelope.error = readError(reader, envelope.error);
      return;
    case tags.direction:
      envelope.direction = toDirection(reader.uint32());
      return;
    case tags.traceparent:
      envelope.traceparent = reader.string();
      return;
    case tags.tracestate:
      envelope.tracestate = reader.string();
      return;
    case tags.requestId:
      envelope.requestId = reader.string();
      return;
    case tags.metadata:
      envelope.metadata = readMetadata(reader, envelope.metadata);
      return;
    case tags.timeoutMs:
      envelope.timeoutMs = reader.int64();
      return;
    default:
      reader.skip(fieldTag);
  }
}

function toDirection(value: number): Direction {
  return value <= directions.tell ? (value as Direction) : directions.unspecified;
}

/** Protobuf merges repeated messages: what the later one lacks stays from the earlier one. */
function readError(reader: WireReader, earlier: WireError | undefined): WireError {
  return reader.message((inner) => {
    let code = earlier?.code ?? 0;
    let message = earlier?.message ?? "";
    while (!inner.done) {
      const fieldTag = inner.tag();
      if (fieldTag === tags.errorCode) code = inner.uint32();
      else if (fieldTag === tags.errorMessage) message = inner.string();
      else inner.skip(fieldTag);
    }
    return { code, message };
  });
}
