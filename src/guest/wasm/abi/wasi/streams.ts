import type { Bridge } from "../bridge.ts";
import { trap } from "../trap.ts";

/** Handles of the three streams; they are always there. */
export const streams = { in: 1, out: 2, error: 3 } as const;

/** Longest line of a stream, bytes; what is longer becomes several. */
const longestLine = 8_192;

const newline = 0x0a;
const decoder = new TextDecoder();

/** Lines that a guest writes to its output streams, on their way to the log of its node. */
export class OutputLines {
  readonly #guest: Bridge;
  readonly #kept = new Map<number, number[]>();

  constructor(guest: Bridge) {
    this.#guest = guest;
  }

  /** Takes bytes for `stream`, and hands on the lines that they end. */
  write(stream: number, bytes: Uint8Array): void {
    if (stream !== streams.out && stream !== streams.error)
      trap(`${stream} is no stream of output`);
    const line = this.#kept.get(stream) ?? [];
    this.#kept.set(stream, line);
    for (const byte of bytes) {
      if (byte !== newline) line.push(byte);
      if (byte === newline || line.length === longestLine) this.#end(stream, line);
    }
  }

  #end(stream: number, line: number[]): void {
    this.#guest.meter.charge(0);
    const message = decoder.decode(Uint8Array.from(line));
    line.length = 0;
    this.#guest.print(stream === streams.error ? "warn" : "info", message);
  }
}
