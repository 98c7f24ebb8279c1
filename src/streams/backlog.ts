/** Bytes that a queued chunk is counted as beside its own, so that empty chunks are bounded too. */
const overheadBytes = 256;

/** What one connection has delivered and nobody has handled yet. Above its limit the connection is not read until half of that is handled. */
export class Backlog {
  readonly #maxBytes: number;
  #bytes = 0;
  #room: Promise<void> | undefined;
  #release: () => void = () => {};

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** Resolves when there is room again; undefined while there is. */
  get room(): Promise<void> | undefined {
    if (this.full) {
      this.#room ??= new Promise((resolve) => {
        this.#release = resolve;
      });
    }
    return this.#room;
  }

  add(bytes: number): void {
    this.#bytes += bytes + overheadBytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes + overheadBytes;
    if (this.#room === undefined || this.#bytes > this.#maxBytes / 2) return;
    this.#room = undefined;
    this.#release();
  }
}
