import { borrow, borrowedFromBytes, widen } from "./frame_buffers.ts";
import { allocateMessage } from "./pool.ts";

/** Payload classes by their wire number (`spec/transport.md` §2). */
export const lanes = {
  rpcReliable: 0,
  rpcSignal: 1,
  streamReliable: 2,
  streamLatencyFirst: 3,
  media: 4,
} as const;

/** The wire number of a payload class. */
export type Lane = (typeof lanes)[keyof typeof lanes];

/** Labels of the DataChannels of the lanes, by wire number (`spec/transport.md` §2). */
export const laneLabels: readonly string[] = [
  "RPC_RELIABLE",
  "RPC_SIGNAL",
  "STREAM_RELIABLE",
  "STREAM_LATENCY_FIRST",
  "MEDIA_RTP",
];

/** One lane message: what a link carries. */
export interface Frame {
  readonly lane: Lane;
  readonly body: Uint8Array;
  /** The WebSocket message that `body` is the end of, when it was encoded into one: then nothing is copied to send it. */
  readonly message?: Uint8Array;
}

/** Bytes before the body of a WebSocket frame. */
export const frameHeaderBytes = 5;

/** A WebSocket message: lane u8, body length u32 big-endian, body (`spec/transport.md` §4). */
export function encodeFrame({ lane, body, message }: Frame): Uint8Array {
  if (message !== undefined) return message;
  const bytes = allocateFrame(lane, body.length);
  bytes.set(body, frameHeaderBytes);
  return bytes;
}

/** A WebSocket message with its header, whose body of `length` bytes is still to be written. */
export function allocateFrame(lane: Lane, length: number): Uint8Array<ArrayBuffer> {
  const size = frameHeaderBytes + length;
  return writeHeader(size < borrowedFromBytes ? allocateMessage(size) : borrow(size), lane, length);
}

/** The same in the buffer that `payload`, a part of the body behind its first `before` bytes, was encoded into, where that has room. */
export function allocateFrameAround(
  lane: Lane,
  length: number,
  payload: Uint8Array,
  before: number,
): Uint8Array<ArrayBuffer> {
  const behind = length - before - payload.length;
  const bytes = widen(payload, frameHeaderBytes + before, behind);
  return bytes === undefined ? allocateFrame(lane, length) : writeHeader(bytes, lane, length);
}

/** Fills the beginning of `bytes`; returns them. */
function writeHeader(
  bytes: Uint8Array<ArrayBuffer>,
  lane: Lane,
  length: number,
): Uint8Array<ArrayBuffer> {
  bytes[0] = lane;
  bytes[1] = length >>> 24;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 8;
  bytes[4] = length;
  return bytes;
}

/**
 * The frame in a WebSocket message, its body a view of it; bytes beyond the announced length are ignored.
 * Undefined when the message is too short for its header or its body, or names no lane:
 * such a message is to be dropped, the connection stays (`spec/transport.md` §4).
 */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < frameHeaderBytes) return undefined;
  const lane = bytes[0] as number;
  const end = frameHeaderBytes + bodyLength(bytes);
  if (!isLane(lane) || bytes.length < end) return undefined;
  return { lane, body: bytes.subarray(frameHeaderBytes, end) };
}

function bodyLength(bytes: Uint8Array): number {
  const high = ((bytes[1] as number) << 8) | (bytes[2] as number);
  const low = ((bytes[3] as number) << 8) | (bytes[4] as number);
  return high * 0x1_0000 + low;
}

/** Whether `value` is the wire number of a lane. */
export function isLane(value: number): value is Lane {
  return Number.isInteger(value) && value >= lanes.rpcReliable && value <= lanes.media;
}
