import type { ActrId } from "./identity.ts";

/** Payload types, which are also the lanes (`spec/transport.md` §2). */
export const lanes = {
  rpcReliable: 0,
  rpcSignal: 1,
  streamReliable: 2,
  streamLatencyFirst: 3,
} as const;

/** Labels of the DataChannels, by lane. */
export const labels: readonly string[] = [
  "RPC_RELIABLE",
  "RPC_SIGNAL",
  "STREAM_RELIABLE",
  "STREAM_LATENCY_FIRST",
];

/** What carries bodies between this peer and one other. */
export interface Wire {
  readonly kind: "webrtc" | "websocket";
  readonly peer: ActrId;
  readonly isOpen: boolean;
  send(lane: number, body: Uint8Array): Promise<void>;
  /** Ends it at once. Idempotent. */
  close(): void;
}

/** What a wire tells whoever opened it. */
export interface WireEvents {
  /** A whole body has come on a lane. */
  body(wire: Wire, lane: number, body: Uint8Array): void;
  /** The other side has done what no Actr peer may do. */
  complain(what: string): void;
}
