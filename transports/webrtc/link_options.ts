const mebibyte = 1024 * 1024;

/** Bounds of one WebRTC link. */
export interface WebRtcLinkOptions {
  /** Longest frame body that is sent, bytes. @default 16 MiB */
  readonly maxBodyBytes: number;
  /** Bytes waiting in all lanes above which `send` refuses with `overloaded`. @default 64 MiB */
  readonly maxBufferedBytes: number;
  /** Bytes received on one kind of lanes and not yet read above which the peer is asked to pause. @default 4 MiB */
  readonly receiveBytes: number;
  /** The same, above which the link ends, as for a peer that does not know how to pause. @default 64 MiB */
  readonly maxReceiveBytes: number;
  /** Bytes of unfinished messages on the lanes that lose nothing; the longest body that is taken. @default 64 MiB */
  readonly maxPartialBytes: number;
  /** Bytes of unfinished latency-first messages. @default 4 MiB */
  readonly maxLossyPartialBytes: number;
  /** Unfinished messages, on each of the two kinds of lanes. @default 1024 */
  readonly maxPartials: number;
  /** How long an unfinished message may go without a fragment, milliseconds; an ICE restart takes up to 60 s. @default 90000 */
  readonly partialIdleMs: number;
  /** The same for latency-first messages, which often lose fragments. @default 5000 */
  readonly lossyPartialIdleMs: number;
  /** How long a frame waits for its lane's channel to open, milliseconds (`spec/transport.md` §2.1). @default 10000 */
  readonly channelTimeoutMs: number;
  /** What waits to be sent gets when the link closes, milliseconds (`spec/transport.md` §6.10). @default 5000 */
  readonly drainTimeoutMs: number;
}

/** The defaults of {@link WebRtcLinkOptions}. */
export const defaultWebRtcLinkOptions: WebRtcLinkOptions = {
  maxBodyBytes: 16 * mebibyte,
  maxBufferedBytes: 64 * mebibyte,
  receiveBytes: 4 * mebibyte,
  maxReceiveBytes: 64 * mebibyte,
  maxPartialBytes: 64 * mebibyte,
  maxLossyPartialBytes: 4 * mebibyte,
  maxPartials: 1024,
  partialIdleMs: 90_000,
  lossyPartialIdleMs: 5_000,
  channelTimeoutMs: 10_000,
  drainTimeoutMs: 5_000,
};
