import { abortable } from "#async";
import { ActrError } from "../errors.ts";

/** Whether a connection may be attempted now, and who waits to hear how the next attempt ends. */
export class AttemptGate {
  #opened: Promise<void> | undefined;
  #open = (): void => {};
  #attempting = new AbortController();
  readonly #waiting = new Set<(failure: ActrError | undefined) => void>();

  /** Resolves when attempts may begin; absent when they may now. */
  get opened(): Promise<void> | undefined {
    return this.#opened;
  }

  /** Lets no attempt begin until {@link AttemptGate.letGo}, and gives up the one that runs. */
  hold(): void {
    if (this.#opened !== undefined) return;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.giveUp();
  }

  letGo(): void {
    this.#opened = undefined;
    this.#open();
  }

  /** Ends the attempt that runs; nobody is told of an outcome. */
  giveUp(): void {
    this.#attempting.abort(new ActrError("unavailable", "the attempt was given up for another"));
  }

  /** An attempt begins; the signal tells that it is given up. */
  begin(): AbortSignal {
    this.#attempting = new AbortController();
    return this.#attempting.signal;
  }

  /** How the next attempt ends. @throws ActrError why it failed; the signal's reason. */
  outcome(signal: AbortSignal): Promise<void> {
    let settle: (failure: ActrError | undefined) => void = () => {};
    const ended = new Promise<void>((resolve, reject) => {
      settle = (failure) => (failure === undefined ? resolve() : reject(failure));
      this.#waiting.add(settle);
    });
    return abortable(ended, signal).finally(() => this.#waiting.delete(settle));
  }

  /** Tells who waits how an attempt ended. */
  tell(failure?: ActrError): void {
    for (const settle of this.#waiting) settle(failure);
  }
}
