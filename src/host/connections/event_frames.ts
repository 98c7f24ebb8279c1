import { ActrError } from "../../errors.ts";
import { utf8Length } from "../../protocol/utf8.ts";
import type { ClientSink, EventCodec } from "./client.ts";

/** A message of a client's socket. */
export type Frame = string | Uint8Array;

/** Bytes of a message. */
export function frameBytes(frame: Frame): number {
  return typeof frame === "string" ? utf8Length(frame) : frame.length;
}

/** An event, written once for each encoding of these clients. @throws ActrError `message.outgoing_too_long`. */
export function framesFor(
  sinks: readonly ClientSink[],
  event: string,
  payload: unknown,
  maxBytes: number,
): ReadonlyMap<EventCodec, Frame> {
  const frames = new Map<EventCodec, Frame>();
  for (const { codec } of sinks) {
    if (!frames.has(codec)) frames.set(codec, shortEnough(codec.event(event, [payload]), maxBytes));
  }
  return frames;
}

/** The frame. @throws ActrError `message.outgoing_too_long`. */
export function shortEnough<F extends Frame>(frame: F, maxBytes: number): F {
  const bytes = frameBytes(frame);
  if (bytes <= maxBytes) return frame;
  const message = `a message to a client has ${bytes} bytes; ${maxBytes} are allowed`;
  throw new ActrError("message.outgoing_too_long", message, { details: { bytes, maxBytes } });
}
