/** What a kept message costs beyond its own bytes. */
const overheadBytes = 64;

/** What the channels of one connection may keep together of messages that nobody handles yet. */
export class EarlyBudget {
  readonly #limitBytes: number;
  readonly #overrun: (limitBytes: number) => void;
  #bytes = 0;

  /** `overrun` is called for the first message that goes beyond. */
  constructor(limitBytes: number, overrun: (limitBytes: number) => void) {
    this.#limitBytes = limitBytes;
    this.#overrun = overrun;
  }

  /** Whether a message of this length may be kept. */
  take(length: number): boolean {
    this.#bytes += length + overheadBytes;
    if (this.#bytes <= this.#limitBytes) return true;
    this.#overrun(this.#limitBytes);
    return false;
  }

  /** To be called for each kept message that was handed over. */
  give(length: number): void {
    this.#bytes -= length + overheadBytes;
  }
}
