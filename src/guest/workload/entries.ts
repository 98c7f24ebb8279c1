import type { ErrorEvent, EventHook, HookPayload, PeerEvent } from "../../hooks.ts";
import type {
  GuestChunk,
  GuestEntry,
  GuestErrorEvent,
  GuestPeerEvent,
  GuestTimestamp,
} from "../../ports/guest_host.ts";
import type { DataChunk } from "../../protocol/data_chunk.ts";
import { toGuestError } from "../guest_error.ts";

/** What a guest is told of each event of its node (`spec/guest.md` §10). */
type Entries = { readonly [Name in EventHook]: (event: HookPayload<Name>) => GuestEntry };

/** The entry of each observation hook. */
export const hookEntries: Entries = {
  onError: (event) => ({ name: "on-error", event: errorEvent(event) }),
  onSignalingConnecting: () => ({ name: "on-signaling-connecting" }),
  onSignalingConnected: () => ({ name: "on-signaling-connected" }),
  onSignalingDisconnected: () => ({ name: "on-signaling-disconnected" }),
  onWebSocketConnecting: (event) => ({ name: "on-websocket-connecting", event: bare(event) }),
  onWebSocketConnected: (event) => ({ name: "on-websocket-connected", event: bare(event) }),
  onWebSocketDisconnected: (event) => ({ name: "on-websocket-disconnected", event: bare(event) }),
  onWebRtcConnecting: (event) => ({ name: "on-webrtc-connecting", event: peerEvent(event) }),
  onWebRtcConnected: (event) => ({ name: "on-webrtc-connected", event: peerEvent(event) }),
  onWebRtcDisconnected: (event) => ({ name: "on-webrtc-disconnected", event: peerEvent(event) }),
  onCredentialRenewed: ({ expiresAt }) => ({
    name: "on-credential-renewed",
    event: { newExpiry: timestamp(expiresAt) },
  }),
  onCredentialExpiring: ({ expiresAt }) => ({
    name: "on-credential-expiring",
    event: { newExpiry: timestamp(expiresAt) },
  }),
  onMailboxBackpressure: ({ queueLength, threshold }) => ({
    name: "on-mailbox-backpressure",
    event: { queueLength: BigInt(queueLength), threshold: BigInt(threshold) },
  }),
};

const categories: Readonly<Record<ErrorEvent["category"], GuestErrorEvent["category"]>> = {
  handler_error: "handler-error",
  handler_crash: "handler-panic",
  dead_letter: "handler-error",
  signaling_failure: "signaling-failure",
  transport_failure: "transport-failure",
  delivery_uncertain: "data-chunk-delivery-uncertain",
};

function errorEvent({ error, category, context, at }: ErrorEvent): GuestErrorEvent {
  const source = toGuestError(error);
  return { source, category: categories[category], context, timestamp: timestamp(at) };
}

/** A chunk as a guest sees it; times are whole milliseconds there. */
export function guestChunk({ timestampMs, ...chunk }: DataChunk): GuestChunk {
  if (timestampMs === undefined) return chunk;
  return { ...chunk, timestampMs: BigInt(Math.trunc(timestampMs)) };
}

/** Only WebRTC has a status, and may be relayed. */
function bare({ peer }: PeerEvent): GuestPeerEvent {
  return { peer };
}

function peerEvent({ peer, relayed, status }: PeerEvent): GuestPeerEvent {
  return {
    peer,
    ...(relayed !== undefined && { relayed }),
    ...(status !== undefined && { status }),
  };
}

function timestamp(ms: number): GuestTimestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanoseconds: Math.trunc((ms - seconds * 1000) * 1e6) };
}
