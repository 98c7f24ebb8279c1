import type { GuestEntry, GuestError } from "../../src/ports/guest_host.ts";
import { callerId } from "./guest_world.ts";

/** One of each error, with texts of more than one byte a character, and none. */
export const guestErrors: readonly GuestError[] = [
  { code: "unavailable", message: "später" },
  { code: "connection_not_ready", message: "" },
  { code: "connection_not_ready", message: "", retryAfterMs: 1_500 },
  { code: "timed_out", message: "" },
  { code: "not_found", message: "" },
  { code: "permission_denied", message: "no 🔑" },
  { code: "invalid_argument", message: "x".repeat(5_000) },
  { code: "unknown_route", message: "a.b" },
  { code: "dependency_not_found", message: "billing", service: "billing" },
  { code: "decode_failure", message: "\ufeffmark" },
  { code: "not_implemented", message: "\u0000" },
  { code: "internal", message: "one\ntwo" },
];

const peer = { peer: callerId };
const newExpiry = { seconds: 1_900_000_000n, nanoseconds: 999_999_999 };

/** Every entry that observes, in the order of the world. */
export const observations: readonly GuestEntry[] = [
  { name: "on-signaling-connecting" },
  { name: "on-signaling-connected" },
  { name: "on-signaling-disconnected" },
  { name: "on-websocket-connecting", event: peer },
  { name: "on-websocket-connected", event: peer },
  { name: "on-websocket-disconnected", event: peer },
  { name: "on-webrtc-connecting", event: { ...peer, status: "connecting" } },
  { name: "on-webrtc-connected", event: { ...peer, relayed: true, status: "connected" } },
  { name: "on-webrtc-disconnected", event: { ...peer, relayed: false, status: "idle" } },
  { name: "on-credential-renewed", event: { newExpiry } },
  { name: "on-credential-expiring", event: { newExpiry } },
  { name: "on-mailbox-backpressure", event: { queueLength: 12n, threshold: 10n } },
];

/** A chunk with all that one can have. */
export function dataChunk(streamId: string, payload: Uint8Array): GuestEntry {
  return {
    name: "on-data-chunk",
    sender: callerId,
    chunk: {
      streamId,
      sequence: 3n,
      payload,
      metadata: [
        { key: "", value: "ä" },
        { key: "k", value: "" },
      ],
      timestampMs: -1n,
    },
  };
}

/** The error that a node tells its guest of. */
export const nodeError: GuestEntry = {
  name: "on-error",
  event: {
    source: { code: "dependency_not_found", message: "gone", service: "billing" },
    category: "transport-failure",
    context: "link",
    timestamp: { seconds: 1n, nanoseconds: 2 },
  },
};
