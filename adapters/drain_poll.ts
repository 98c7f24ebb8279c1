/** Bytes above which a send buffer is watched until it has emptied. */
const watchedBytes = 16_384;

/** Milliseconds between two looks. */
const pollMs = 2;

/** Tells when a send buffer has emptied, on runtimes that have no event for it. */
export class DrainPoll {
  readonly #buffered: () => number;
  readonly #drained: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(buffered: () => number, drained: () => void) {
    this.#buffered = buffered;
    this.#drained = drained;
  }

  /** To be called after each send. */
  sent(): void {
    if (this.#timer === undefined && this.#buffered() > watchedBytes) this.#lookLater();
  }

  /** To be called when the socket has closed. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#buffered() > 0) this.#lookLater();
      else this.#drained();
    }, pollMs);
  }
}
