import type { Clock } from "../../ports/clock.ts";
import { type LogLevel, logLevels } from "../../ports/logger.ts";
import { TokenBucket } from "../../token_bucket.ts";

const encoder = new TextEncoder();
const levels: ReadonlySet<string> = new Set(logLevels);

/** The level that a guest names; `info` for one that there is not, whose name may be as long as a payload. */
export function levelOf(name: string): LogLevel {
  return levels.has(name) ? (name as LogLevel) : "info";
}

/** How much a guest may log. */
export interface LogLimits {
  readonly logLinesPerSecond: number;
  readonly logLineBytes: number;
}

/** Lets through as many lines of a guest's log as are allowed, each no longer than is allowed, and counts the others. */
export class LogLines {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #room: Uint8Array<ArrayBuffer>;
  #dropped = 0;
  #untold = 0;

  constructor(clock: Clock, { logLinesPerSecond, logLineBytes }: LogLimits) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(logLinesPerSecond, logLinesPerSecond, clock.monotonic());
    this.#room = new Uint8Array(logLineBytes);
  }

  /** Lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The line as it may be written, and how many were dropped since the last that could be; undefined when it is dropped too. */
  admit(line: string): { readonly line: string; readonly dropped: number } | undefined {
    if (!this.#bucket.take(this.#clock.monotonic())) {
      this.#dropped += 1;
      this.#untold += 1;
      return undefined;
    }
    const dropped = this.#untold;
    this.#untold = 0;
    return { line: this.#cut(line), dropped };
  }

  #cut(line: string): string {
    // Three bytes for each UTF-16 unit is the most that UTF-8 takes.
    if (line.length * 3 <= this.#room.length) return line;
    const { read } = encoder.encodeInto(line, this.#room);
    return read === line.length ? line : line.slice(0, read);
  }
}
