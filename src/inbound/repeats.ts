import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { Deadlines, type Expiring } from "../session/deadlines.ts";
import type { Completion } from "./completion.ts";
import type { Joiner, Sighting } from "./dedup.ts";
import { type InboundMessage, isAnswerable, queueWaitMs } from "./message.ts";

/** Collaborators of {@link Repeats}. */
export interface RepeatsComponents {
  readonly clock: Clock;
  readonly completion: Completion;
}

/** How long a repeat without a deadline of its own may wait. */
export interface RepeatsOptions {
  /** Milliseconds. */
  readonly dedupTtlMs: number;
}

/** Requests that were seen before: answered again, or made to wait for the first one, each within its own time (`spec/node.md` §6). */
export class Repeats {
  readonly #components: RepeatsComponents;
  readonly #options: RepeatsOptions;
  readonly #deadlines: Deadlines;
  /** Repeats that somebody waits for. */
  readonly #waiting = new Set<WaitingRepeat>();

  constructor(components: RepeatsComponents, options: RepeatsOptions) {
    this.#components = components;
    this.#options = options;
    this.#deadlines = new Deadlines(components.clock);
  }

  /** Deals with a claimed message that repeats another. Never fails. */
  take(message: InboundMessage, sighting: Exclude<Sighting, { kind: "fresh" }>): void {
    const { completion } = this.#components;
    if (sighting.kind === "answered") completion.repeat(message, sighting.answer);
    else this.#join(message, sighting.join);
  }

  /** Nobody is to wait any more: who does is told `reason`. Tells, which nobody waits for, stay in the store. */
  close(reason: ActrError): void {
    this.#deadlines.close();
    for (const waiting of this.#waiting) waiting.refuse(reason);
  }

  #join(message: InboundMessage, join: (joiner: Joiner) => boolean): void {
    const { completion, clock } = this.#components;
    const waiting = new WaitingRepeat(message, completion, () => this.#left(waiting));
    if (!join((answer) => waiting.hear(answer))) {
      const reason = "this request is being handled, and enough of its repeats wait for it";
      const error = new ActrError("overloaded", reason, { retryAfterMs: 100 });
      return completion.refuse(message, error);
    }
    if (!isAnswerable(message)) return;
    waiting.bucket = this.#deadlines.add(waiting, clock.monotonic() + this.#waitMs(message));
    this.#waiting.add(waiting);
  }

  #left(waiting: WaitingRepeat): void {
    if (this.#waiting.delete(waiting)) this.#deadlines.remove(waiting, waiting.bucket);
  }

  #waitMs(message: InboundMessage): number {
    const { timeoutMs } = message.envelope;
    if (timeoutMs <= 0) return this.#options.dedupTtlMs;
    return Math.max(0, timeoutMs - queueWaitMs(message, this.#components.clock));
  }
}

/** One repeat that waits for the outcome of the first one, or for the end of its own time. */
class WaitingRepeat implements Expiring {
  /** Where its deadline is kept. */
  bucket = 0;
  readonly #message: InboundMessage;
  readonly #completion: Completion;
  readonly #onEnd: () => void;
  #ended = false;

  constructor(message: InboundMessage, completion: Completion, onEnd: () => void) {
    this.#message = message;
    this.#completion = completion;
    this.#onEnd = onEnd;
  }

  /** The first one has ended, with an answer or with nothing that lasts. */
  hear(answer: Uint8Array | undefined): void {
    if (!this.#end()) return;
    if (answer === undefined) this.#completion.again(this.#message);
    else this.#completion.repeat(this.#message, answer);
  }

  expire(): void {
    const { routeKey } = this.#message.envelope;
    const reason = `${routeKey} is still being handled for the request that this one repeats`;
    this.refuse(new ActrError("timed_out", reason));
  }

  refuse(error: ActrError): void {
    if (this.#end()) this.#completion.refuse(this.#message, error);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#onEnd();
    return true;
  }
}
