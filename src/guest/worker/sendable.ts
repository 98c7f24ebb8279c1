import type { GuestChunk, GuestEntry, HostAnswer, HostCall } from "../../ports/guest_host.ts";

/** Shorter ones are copied sooner than handed over, bytes. */
const worthMoving = 16 * 1024;

/**
 * Bytes as they may be sent: a view of something larger would take all of that along, so it is cut out of it. What is
 * long is handed over with its buffer: bytes that cross the port belong to the receiver.
 */
export function sendable(bytes: Uint8Array, moved: ArrayBuffer[]): Uint8Array {
  const { buffer, byteLength } = bytes;
  const whole = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
  const sent = whole ? bytes : bytes.slice();
  if (byteLength >= worthMoving) move(sent.buffer as ArrayBuffer, moved);
  return sent;
}

/** Twice in one list is refused. */
function move(buffer: ArrayBuffer, moved: ArrayBuffer[]): void {
  if (!moved.includes(buffer)) moved.push(buffer);
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
