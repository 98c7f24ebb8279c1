import type { GuestEntry, Invocation } from "../../../ports/guest_host.ts";
import type { GuestMemory } from "./guest_memory.ts";
import {
  lowerChunk,
  lowerEnvelope,
  lowerErrorEvent,
  lowerId,
  lowerInvocation,
  lowerPeerEvent,
  lowerTimestamp,
} from "./lower_values.ts";

/** Bytes of an `invocation-ctx`, the last argument of every entry. */
const invocationBytes = 104;

/** Writes the arguments of an entry into a guest, and returns their place: the one parameter of its export (`spec/guest.md` §17). */
export function lowerArguments(
  memory: GuestMemory,
  entry: GuestEntry,
  invocation: Invocation,
): number {
  const before = bytesBefore(entry.name);
  const at = memory.allocate(8, before + invocationBytes);
  lowerEvent(memory, at, entry);
  lowerInvocation(memory, at + before, invocation);
  return at;
}

/** Bytes of what comes before the context. */
function bytesBefore(name: GuestEntry["name"]): number {
  switch (name) {
    case "dispatch":
      return 24;
    case "on-data-chunk":
      return 88;
    case "on-error":
      return 56;
    case "on-websocket-connecting":
    case "on-websocket-connected":
    case "on-websocket-disconnected":
    case "on-webrtc-connecting":
    case "on-webrtc-connected":
    case "on-webrtc-disconnected":
      return 48;
    case "on-credential-renewed":
    case "on-credential-expiring":
    case "on-mailbox-backpressure":
      return 16;
    default:
      return 0;
  }
}

function lowerEvent(memory: GuestMemory, at: number, entry: GuestEntry): void {
  switch (entry.name) {
    case "dispatch":
      return lowerEnvelope(memory, at, entry.envelope);
    case "on-data-chunk":
      lowerChunk(memory, at, entry.chunk);
      return lowerId(memory, at + 48, entry.sender);
    case "on-error":
      return lowerErrorEvent(memory, at, entry.event);
    case "on-websocket-connecting":
    case "on-websocket-connected":
    case "on-websocket-disconnected":
    case "on-webrtc-connecting":
    case "on-webrtc-connected":
    case "on-webrtc-disconnected":
      return lowerPeerEvent(memory, at, entry.event);
    case "on-credential-renewed":
    case "on-credential-expiring":
      return lowerTimestamp(memory, at, entry.event.newExpiry);
    case "on-mailbox-backpressure":
      memory.view.setBigUint64(at, entry.event.queueLength, true);
      return memory.view.setBigUint64(at + 8, entry.event.threshold, true);
  }
}
