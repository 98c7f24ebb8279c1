import type { GuestChunk, GuestEntry, HostAnswer, HostCall } from "../../ports/guest_host.ts";

/** Shorter ones are copied sooner than handed over, bytes. */
const worthMoving = 16 * 1024;

/**
 * Bytes as they may be sent. What is whole is copied on the way, so that its owner keeps it; a part of something larger
 * would take all of that along, so it is cut out, and the cutting, which nobody else has, is handed over where it is long.
 */
export function sendable(bytes: Uint8Array, moved: ArrayBuffer[]): Uint8Array {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes;
  const cutting = bytes.slice();
  if (cutting.byteLength >= worthMoving) moved.push(cutting.buffer);
  return cutting;
}

function sendableChunk(chunk: GuestChunk, moved: ArrayBuffer[]): GuestChunk {
  return { ...chunk, payload: sendable(chunk.payload, moved) };
}

/** An entry as it may be sent; `moved` takes the buffers that go along. */
export function sendableEntry(entry: GuestEntry, moved: ArrayBuffer[]): GuestEntry {
  switch (entry.name) {
    case "dispatch": {
      const payload = sendable(entry.envelope.payload, moved);
      return { ...entry, envelope: { ...entry.envelope, payload } };
    }
    case "on-data-chunk":
      return { ...entry, chunk: sendableChunk(entry.chunk, moved) };
    default:
      return entry;
  }
}

/** The node's answer as it may be sent. */
export function sendableAnswer(answer: HostAnswer, moved: ArrayBuffer[]): HostAnswer {
  if (!("ok" in answer) || !(answer.ok instanceof Uint8Array)) return answer;
  return { ok: sendable(answer.ok, moved) };
}

/** A guest's call as it may be sent. */
export function sendableCall(call: HostCall, moved: ArrayBuffer[]): HostCall {
  switch (call.name) {
    case "call":
    case "tell":
    case "call-raw":
      return { ...call, payload: sendable(call.payload, moved) };
    case "send-data-chunk":
      return { ...call, chunk: sendableChunk(call.chunk, moved) };
    default:
      return call;
  }
}
