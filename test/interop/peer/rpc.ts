import { Fields, Writer } from "./protobuf.ts";

/** `Direction` of an envelope. */
export const directions = { unspecified: 0, request: 1, response: 2, tell: 3 } as const;

/** Every field is optional, so that malformed envelopes can be written (`spec/transport.md` §7.1). */
export interface Envelope {
  readonly routeKey?: string | undefined;
  readonly payload?: Uint8Array | undefined;
  readonly error?: { readonly code: number; readonly message: string } | undefined;
  readonly direction?: number | undefined;
  readonly traceparent?: string | undefined;
  readonly requestId?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Fields in ascending order; what is undefined is left out. */
export function writeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  const { routeKey, payload, error, direction, traceparent, requestId, timeoutMs } = envelope;
  const out = new Writer();
  if (routeKey !== undefined) out.text(1, routeKey);
  if (payload !== undefined) out.bytes(2, payload);
  if (error !== undefined)
    out.message(3, new Writer().varint(1, error.code).text(2, error.message));
  if (direction !== undefined) out.varint(4, direction);
  if (traceparent !== undefined) out.text(100, traceparent);
  if (requestId !== undefined) out.text(102, requestId);
  if (timeoutMs !== undefined) out.varint(104, timeoutMs);
  return out.done();
}

export function readEnvelope(body: Uint8Array): Envelope {
  const fields = new Fields(body);
  const error = fields.message(3);
  return {
    routeKey: fields.text(1),
    payload: fields.bytes(2),
    error: error && { code: error.number(1) ?? 0, message: error.text(2) ?? "" },
    direction: fields.number(4),
    traceparent: fields.text(100),
    requestId: fields.text(102),
    timeoutMs: fields.number(104),
  };
}

/** One message of a data stream (`spec/transport.md` §8). */
export interface Chunk {
  readonly streamId: string;
  readonly sequence: bigint;
  readonly payload: Uint8Array;
  readonly timestampMs?: bigint | undefined;
}

export function writeChunk({ streamId, sequence, payload, timestampMs }: Chunk): Uint8Array {
  const out = new Writer().text(1, streamId).varint(2, sequence).bytes(3, payload);
  if (timestampMs !== undefined) out.varint(5, timestampMs);
  return out.done();
}

export function readChunk(body: Uint8Array): Chunk {
  const fields = new Fields(body);
  return {
    streamId: fields.text(1) ?? "",
    sequence: fields.varint(2) ?? 0n,
    payload: fields.bytes(3) ?? new Uint8Array(0),
    timestampMs: fields.varint(5),
  };
}
