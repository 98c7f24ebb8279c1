import { ActrError } from "../errors.ts";
import type { Deadlines, Expiring } from "../session/deadlines.ts";

/** What keeps the deadlines. */
type Watch = Pick<Deadlines, "add" | "remove">;

/** What ends a wait early. */
export interface WaitBounds {
  /** What is waited for, as it begins an error's text. */
  readonly what: string;
  /** Monotonic time of the deadline. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** A wait that costs no timer of its own, for what happens very often and nearly always at once. */
export class BoundedWait implements Expiring {
  readonly #deadlines: Watch;
  readonly #bounds: WaitBounds;
  readonly #reject: (reason: unknown) => void;
  readonly #bucket: number;

  /** Waits for `work`, then gives `result`. @throws ActrError `timed_out`; the signal's reason; what `work` throws. */
  static for<T>(
    work: Promise<unknown>,
    result: T,
    deadlines: Watch,
    bounds: WaitBounds,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = new BoundedWait(deadlines, bounds, reject);
      work.then(
        () => {
          wait.#stop();
          resolve(result);
        },
        (error: unknown) => wait.#end(error),
      );
    });
  }

  private constructor(deadlines: Watch, bounds: WaitBounds, reject: (reason: unknown) => void) {
    this.#deadlines = deadlines;
    this.#bounds = bounds;
    this.#reject = reject;
    this.#bucket = deadlines.add(this, bounds.deadline);
    bounds.signal?.addEventListener("abort", this, { once: true });
  }

  expire(): void {
    this.#end(new ActrError("timed_out", `${this.#bounds.what} took too long`));
  }

  /** The signal aborts. */
  handleEvent(): void {
    this.#end(this.#bounds.signal?.reason);
  }

  #end(reason: unknown): void {
    this.#stop();
    this.#reject(reason);
  }

  #stop(): void {
    this.#deadlines.remove(this, this.#bucket);
    this.#bounds.signal?.removeEventListener("abort", this);
  }
}
