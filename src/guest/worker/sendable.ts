import type {
  EntryOutcome,
  GuestChunk,
  GuestEntry,
  HostAnswer,
  HostCall,
} from "../../ports/guest_host.ts";

/** Shorter ones are copied sooner than handed over, bytes. */
const worthMoving = 16 * 1024;

/**
 * Bytes as they may be sent: a view of something larger would take all of that along, so it is cut out of it. What is
 * long is handed over with its buffer: bytes that cross the port belong to the receiver.
 */
function sendable(bytes: Uint8Array, moved: ArrayBuffer[]): Uint8Array {
  const { buffer, byteLength } = bytes;
  const whole = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
  const sent = whole ? bytes : bytes.slice();
  if (byteLength >= worthMoving) moved.push(sent.buffer as ArrayBuffer);
  return sent;
}

function sendableChunk(chunk: GuestChunk, moved: ArrayBuffer[]): GuestChunk {
  return { ...chunk, payload: sendable(chunk.payload, moved) };
}

/** An entry as it may be sent; `moved` takes the buffers that go along. */
export function sendableEntry(entry: GuestEntry, moved: ArrayBuffer[]): GuestEntry {
  if (entry.name === "dispatch") {
    const { requestId, routeKey, payload } = entry.envelope;
    const envelope = { requestId, routeKey, payload: sendable(payload, moved) };
    return { name: "dispatch", envelope };
  }
  if (entry.name !== "on-data-chunk") return entry;
  return { ...entry, chunk: sendableChunk(entry.chunk, moved) };
}

/** How an entry ended, or a call, as it may be sent. */
export function sendableOutcome<Outcome extends EntryOutcome | HostAnswer>(
  outcome: Outcome,
  moved: ArrayBuffer[],
): Outcome | { readonly ok: Uint8Array } {
  if (!("ok" in outcome) || !(outcome.ok instanceof Uint8Array)) return outcome;
  return { ok: sendable(outcome.ok, moved) };
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
