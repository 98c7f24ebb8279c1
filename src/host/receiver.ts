import type { QueueMessage, ReceiveOptions } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/** Somebody who waits for messages: until there are some, its time is up, or its signal or the actor's ends the wait. */
export class Receiver {
  readonly names: ReadonlySet<string> | undefined;
  readonly count: number;
  readonly completable: boolean;
  readonly received: Promise<readonly QueueMessage[]>;
  readonly #onEnd: () => void;
  readonly #signals: readonly AbortSignal[];
  readonly #abort = (): void => this.#aborted();
  #resolve: (messages: readonly QueueMessage[]) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #timer: Timer | undefined;

  constructor(options: ReceiveOptions, clock: Clock, stopping: AbortSignal, onEnd: () => void) {
    const { names, count = 1, completable = false, timeoutMs, signal } = options;
    this.names = names && new Set(names);
    this.count = count;
    this.completable = completable;
    this.#onEnd = onEnd;
    this.#signals = signal === undefined ? [stopping] : [stopping, signal];
    this.received = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    for (const each of this.#signals) each.addEventListener("abort", this.#abort, { once: true });
    if (timeoutMs !== undefined) {
      this.#timer = clock.timer(clock.now() + timeoutMs, () => this.take([]));
    }
    if (this.#signals.some(({ aborted }) => aborted)) clock.defer(this.#abort);
  }

  take(messages: readonly QueueMessage[]): void {
    this.#end();
    this.#resolve(messages);
  }

  #aborted(): void {
    this.#end();
    this.#reject(new ActrError("actor.aborted", "the wait for a message was ended"));
  }

  #end(): void {
    this.#timer?.cancel();
    for (const each of this.#signals) each.removeEventListener("abort", this.#abort);
    this.#onEnd();
  }
}
