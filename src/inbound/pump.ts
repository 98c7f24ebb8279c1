import type { DispatchOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Nesting } from "./handler_calls.ts";
import type { Mailbox } from "./mailbox.ts";
import { type InboundMessage, messageFields, queueWaitMs } from "./message.ts";
import { Scheduler } from "./scheduler.ts";
import type { Turn } from "./turn.ts";

/** What is done with messages; neither fails. */
export interface PumpWork {
  /** What a claimed message is to do; nothing when it came to its end already. */
  prepare(message: InboundMessage): Turn | undefined;
  /** Does it; what it returns settles when the next one may begin. */
  start(turn: Turn): void | Promise<void>;
}

/** Collaborators of {@link Pump}. */
export interface PumpComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly mailbox: Mailbox;
  readonly work: PumpWork;
  readonly nesting: Nesting;
}

/** Limits of a {@link Pump}. */
export interface PumpOptions extends Pick<DispatchOptions, "budget" | "capacity"> {
  readonly maxPerTurn: number;
}

/**
 * Takes messages out of the mailbox as the scheduler takes them, so that the mailbox decides late which is
 * next. Woken by enqueue; yields to the event loop after a bounded run.
 */
export class Pump {
  readonly scheduler: Scheduler<Turn>;
  readonly #components: PumpComponents;
  readonly #maxPerTurn: number;
  #open = false;
  /** A run goes on, or the rest of it was put off to the next turn. */
  #busy = false;
  #idle: (() => void)[] = [];

  constructor(components: PumpComponents, options: PumpOptions) {
    this.#components = components;
    this.#maxPerTurn = options.maxPerTurn;
    this.scheduler = new Scheduler(
      (turn) => this.#start(turn),
      () => this.#resume(),
      options,
    );
  }

  /** Begins to hand out what the mailbox holds. */
  open(): void {
    this.#open = true;
    this.wake();
  }

  /** Resolves when nothing is left to claim and no handler runs. */
  async drained(): Promise<void> {
    if (!this.#isIdle()) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Claims nothing more, for `reason`; returns what was claimed and has not begun. */
  close(reason: unknown): InboundMessage[] {
    this.#open = false;
    return this.scheduler.clear().map((turn) => {
      turn.endSpans(reason);
      return turn.message;
    });
  }

  /** Something may be there to claim. */
  wake(): void {
    if (this.#open && !this.#busy) this.#run();
  }

  #run(): void {
    const { clock, mailbox, work, nesting } = this.#components;
    this.#busy = true;
    for (let count = 0; count < this.#maxPerTurn; count += 1) {
      const message = this.#open ? this.#claim(mailbox) : undefined;
      if (message === undefined) return this.#rest();
      this.#tellOf(message);
      const turn = work.prepare(message);
      if (turn === undefined) nesting.left(message);
      else this.scheduler.submit(turn, turn.key);
    }
    clock.defer(() => this.#run());
  }

  #start(turn: Turn): void | Promise<void> {
    const { work, nesting } = this.#components;
    nesting.left(turn.message);
    return work.start(turn);
  }

  #tellOf(message: InboundMessage): void {
    const { log, clock } = this.#components;
    if (!log.enabled("debug")) return;
    const queue_wait_ms = queueWaitMs(message, clock);
    log.debug("rpc.mailbox.dequeued", { ...messageFields(message), queue_wait_ms });
  }

  #claim(mailbox: Mailbox): InboundMessage | undefined {
    switch (this.scheduler.appetite) {
      case "any":
        return mailbox.claim();
      case "urgent":
        return mailbox.claimHigh();
      case "none":
        return undefined;
    }
  }

  /** A handler has ended, or waits for others. */
  #resume(): void {
    if (this.#busy) return;
    if (this.#open) this.#run();
    else this.#rest();
  }

  #rest(): void {
    this.#busy = false;
    if (this.#idle.length === 0 || !this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #isIdle(): boolean {
    return !this.#busy && this.scheduler.running === 0 && this.scheduler.waiting === 0;
  }
}
