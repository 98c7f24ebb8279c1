import type {
  GuestChunk,
  GuestEnvelope,
  GuestError,
  GuestErrorEvent,
  GuestPeerEvent,
  GuestTimestamp,
  Invocation,
} from "../../../ports/guest_host.ts";
import type { ActrId } from "../../../protocol/ids.ts";
import { guestErrorCodes } from "../../guest_error.ts";
import type { GuestMemory } from "./guest_memory.ts";

// Every function writes a value at `at`, in the layout of the canonical ABI (`spec/guest.md` §17). A text or a list
// runs the guest to have room, which may make `memory.view` anew: no function keeps it.

/** `actr-id`: realm 0, serial 8, texts 16, 24, 32; 40 bytes. */
export function lowerId(memory: GuestMemory, at: number, id: ActrId): void {
  memory.view.setUint32(at, id.realm, true);
  memory.view.setBigUint64(at + 8, id.serial, true);
  memory.lowerText(at + 16, id.type.manufacturer);
  memory.lowerText(at + 24, id.type.name);
  memory.lowerText(at + 32, id.type.version);
}

/** `invocation-ctx`: token 0, self 8, caller 48 and 56, request 96; 104 bytes. */
export function lowerInvocation(memory: GuestMemory, at: number, invocation: Invocation): void {
  const { token, selfId, callerId, requestId } = invocation;
  memory.view.setBigUint64(at, token, true);
  lowerId(memory, at + 8, selfId);
  memory.view.setUint8(at + 48, callerId === undefined ? 0 : 1);
  if (callerId !== undefined) lowerId(memory, at + 56, callerId);
  memory.lowerText(at + 96, requestId);
}

/** `rpc-envelope`: request 0, route 8, payload 16; 24 bytes. */
export function lowerEnvelope(memory: GuestMemory, at: number, envelope: GuestEnvelope): void {
  memory.lowerText(at, envelope.requestId);
  memory.lowerText(at + 8, envelope.routeKey);
  memory.lowerBytes(at + 16, envelope.payload);
}

/** `data-chunk`: stream 0, sequence 8, payload 16, metadata 24, timestamp 32 and 40; 48 bytes. */
export function lowerChunk(memory: GuestMemory, at: number, chunk: GuestChunk): void {
  const { streamId, sequence, payload, metadata, timestampMs } = chunk;
  memory.lowerText(at, streamId);
  memory.view.setBigUint64(at + 8, sequence, true);
  memory.lowerBytes(at + 16, payload);
  const entries = memory.lowerElements(at + 24, metadata.length, 4, 16);
  for (const [index, { key, value }] of metadata.entries()) {
    memory.lowerText(entries + 16 * index, key);
    memory.lowerText(entries + 16 * index + 8, value);
  }
  memory.view.setUint8(at + 32, timestampMs === undefined ? 0 : 1);
  if (timestampMs !== undefined) memory.view.setBigInt64(at + 40, timestampMs, true);
}

/** `actr-error`: case 0, its value 8; 24 bytes. */
export function lowerError(memory: GuestMemory, at: number, error: GuestError): void {
  memory.view.setUint8(at, guestErrorCodes.indexOf(error.code));
  switch (error.code) {
    case "timed_out":
      return;
    case "connection_not_ready":
      return lowerDelay(memory, at + 8, error.retryAfterMs);
    case "dependency_not_found":
      memory.lowerText(at + 8, error.service ?? "");
      return memory.lowerText(at + 16, error.message);
    default:
      memory.lowerText(at + 8, error.message);
  }
}

function lowerDelay(memory: GuestMemory, at: number, milliseconds: number | undefined): void {
  memory.view.setUint8(at, milliseconds === undefined ? 0 : 1);
  if (milliseconds === undefined) return;
  memory.view.setBigUint64(at + 8, BigInt(Math.max(0, Math.ceil(milliseconds))), true);
}

const statuses = ["idle", "connecting", "connected", "recovering"] as const;

/** `peer-event`: peer 0, relayed 40, status 42; 48 bytes. */
export function lowerPeerEvent(memory: GuestMemory, at: number, event: GuestPeerEvent): void {
  const { peer, relayed, status } = event;
  lowerId(memory, at, peer);
  const { view } = memory;
  view.setUint8(at + 40, relayed === undefined ? 0 : 1);
  view.setUint8(at + 41, relayed === true ? 1 : 0);
  view.setUint8(at + 42, status === undefined ? 0 : 1);
  view.setUint8(at + 43, status === undefined ? 0 : statuses.indexOf(status));
}

/** `timestamp`: seconds 0, nanoseconds 8; 16 bytes. */
export function lowerTimestamp(memory: GuestMemory, at: number, time: GuestTimestamp): void {
  memory.view.setBigUint64(at, time.seconds, true);
  memory.view.setUint32(at + 8, time.nanoseconds, true);
}

const categories = [
  "handler-panic",
  "handler-error",
  "signaling-failure",
  "transport-failure",
  "data-chunk-delivery-uncertain",
] as const;

/** `error-event`: source 0, category 24, context 28, timestamp 40; 56 bytes. */
export function lowerErrorEvent(memory: GuestMemory, at: number, event: GuestErrorEvent): void {
  lowerError(memory, at, event.source);
  memory.view.setUint8(at + 24, categories.indexOf(event.category));
  memory.lowerText(at + 28, event.context);
  lowerTimestamp(memory, at + 40, event.timestamp);
}
