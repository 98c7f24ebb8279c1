import type { Clock, Timer } from "../../ports/clock.ts";
import { Heap } from "../heap.ts";
import type { HeldMessage } from "./held_message.ts";

/** Messages that a time is waited for, each until its `dueAt`, with one timer for the earliest. */
export class MessageTimer {
  readonly #clock: Clock;
  readonly #onDue: (message: HeldMessage) => void;
  readonly #messages = new Heap<HeldMessage>(
    (a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.row.seq < b.row.seq),
  );
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (message: HeldMessage) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** When the first is due, Unix milliseconds. */
  get nextAt(): number | undefined {
    return this.#messages.first?.dueAt;
  }

  add(message: HeldMessage): void {
    this.#messages.push(message);
    this.#arm();
  }

  /** The timer stays as it is: most messages are done long before their time. */
  remove(message: HeldMessage): void {
    this.#messages.remove(message);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timerAt = Number.NEGATIVE_INFINITY;
  }

  #arm(): void {
    const dueAt = this.#messages.first?.dueAt;
    if (dueAt === undefined || dueAt >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = dueAt;
    this.#timer = this.#clock.timer(dueAt, () => this.#ring());
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let next = this.#messages.first; next !== undefined && next.dueAt <= now; ) {
      this.#messages.remove(next);
      this.#onDue(next);
      next = this.#messages.first;
    }
    this.#arm();
  }
}
