import type { QueueMessage } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { withResolvers } from "../../with_resolvers.ts";
import type { QueueLane } from "./queue_lane.ts";

/** What is asked for. */
export interface Wanted {
  /** In any of these queues. */
  readonly lanes: readonly QueueLane[];
  readonly count: number;
  readonly completable: boolean;
  /** Takes each over in the instant in which it leaves its queue: to write it down in the same commit, and to complete it. */
  readonly takeOver?: ((message: QueueMessage) => void) | undefined;
}

/** How long it is waited for. */
export interface Patience {
  readonly clock: Clock;
  /** Milliseconds. @default as long as it takes */
  readonly timeoutMs: number | undefined;
  readonly signals: readonly AbortSignal[];
  /** Called once, when the wait is over, before anybody who waits goes on. */
  readonly onEnd: () => void;
}

type Outcome = readonly QueueMessage[] | ActrError;

/** Somebody who waits for messages: until there are some, the time is up, or a signal ends the wait. */
export class Receiver {
  readonly wanted: Wanted;
  readonly #patience: Patience;
  readonly #outcome = withResolvers<Outcome>();
  readonly #abort = (): void => this.#end(aborted());
  #timer: Timer | undefined;

  /** Begins to wait in each of its queues. */
  constructor(wanted: Wanted, patience: Patience) {
    this.wanted = wanted;
    this.#patience = patience;
    const { clock, timeoutMs, signals } = patience;
    for (const lane of wanted.lanes) lane.receivers.add(this);
    for (const signal of signals) signal.addEventListener("abort", this.#abort);
    if (timeoutMs !== undefined) {
      this.#timer = clock.timer(clock.now() + timeoutMs, () => this.take([]));
    }
  }

  /** What was received; nothing when the time is up. @throws ActrError `actor.aborted`. */
  async received(): Promise<readonly QueueMessage[]> {
    const outcome = await this.#outcome.promise;
    if (ActrError.is(outcome)) throw outcome;
    return outcome;
  }

  take(messages: readonly QueueMessage[]): void {
    this.#end(messages);
  }

  #end(outcome: Outcome): void {
    const { signals, onEnd } = this.#patience;
    this.#timer?.cancel();
    for (const signal of signals) signal.removeEventListener("abort", this.#abort);
    for (const lane of this.wanted.lanes) lane.receivers.delete(this);
    onEnd();
    this.#outcome.resolve(outcome);
  }
}

/** The error of a wait for a message that a signal has ended. */
export function aborted(): ActrError {
  return new ActrError("actor.aborted", "the wait for a message was ended");
}
