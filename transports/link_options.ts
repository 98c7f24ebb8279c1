import { frameHeaderBytes } from "../src/protocol/frame.ts";

const mebibyte = 1024 * 1024;

/** Bounds of one link over a socket. */
export interface LinkOptions {
  /** Longest frame body, both ways, bytes (`spec/transport.md` §4: a Rust peer takes 16 MiB per frame). @default 16 MiB - 5 */
  readonly maxBodyBytes: number;
  /** Bytes waiting in the socket above which `send` waits. @default 1 MiB */
  readonly highWaterBytes: number;
  /** Bytes waiting in the socket above which `send` refuses with `overloaded`. @default 64 MiB */
  readonly maxBufferedBytes: number;
  /** Bytes received and not yet read above which the socket is paused. @default 4 MiB */
  readonly receiveBytes: number;
  /** Bytes received and not yet read that end the link, where the runtime cannot pause. @default 64 MiB */
  readonly maxReceiveBytes: number;
  /** Between two pings, milliseconds; a link that is silent for two of them is dead. @default 15000 */
  readonly pingIntervalMs: number;
  /** What the other end gets for its half of the closing handshake, milliseconds. @default 1000 */
  readonly closeTimeoutMs: number;
}

/** The defaults of {@link LinkOptions}. */
export const defaultLinkOptions: LinkOptions = {
  maxBodyBytes: 16 * mebibyte - frameHeaderBytes,
  highWaterBytes: mebibyte,
  maxBufferedBytes: 64 * mebibyte,
  receiveBytes: 4 * mebibyte,
  maxReceiveBytes: 64 * mebibyte,
  pingIntervalMs: 15_000,
  closeTimeoutMs: 1_000,
};
