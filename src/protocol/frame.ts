/** Payload classes by their wire number (`spec/transport.md` §2). */
export const lanes = {
  rpcReliable: 0,
  rpcSignal: 1,
  streamReliable: 2,
  streamLatencyFirst: 3,
  media: 4,
} as const;

/** The wire number of a payload class. */
export type Lane = (typeof lanes)[keyof typeof lanes];

/** One lane message: what a link carries. */
export interface Frame {
  readonly lane: Lane;
  readonly body: Uint8Array;
}
