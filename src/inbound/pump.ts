import type { Clock } from "../ports/clock.ts";
import type { Mailbox } from "./mailbox.ts";
import type { InboundMessage } from "./message.ts";

/** Handles one message; resolves, or returns, when the next one may begin. Never fails. */
export type Handle = (message: InboundMessage) => void | Promise<void>;

/**
 * Takes messages out of the mailbox, one turn at a time: every method is a barrier until the
 * conflict keys say otherwise. Woken by enqueue; yields to the event loop after a bounded run.
 */
export class Pump {
  readonly #clock: Clock;
  readonly #mailbox: Mailbox;
  readonly #handle: Handle;
  readonly #maxPerTurn: number;
  #open = false;
  /** A handler is running, or the rest of a run was put off to the next turn. */
  #busy = false;
  #idle: (() => void)[] = [];
  /** Also after a failure, which should not be: one message must not stop all others. */
  readonly #next = (): void => this.#run();

  constructor(
    components: { readonly clock: Clock; readonly mailbox: Mailbox; readonly handle: Handle },
    options: { readonly maxPerTurn: number },
  ) {
    this.#clock = components.clock;
    this.#mailbox = components.mailbox;
    this.#handle = components.handle;
    this.#maxPerTurn = options.maxPerTurn;
  }

  /** Begins to hand out what the mailbox holds. */
  open(): void {
    this.#open = true;
    this.wake();
  }

  /** Resolves when nothing is left to claim and no handler runs. */
  async drained(): Promise<void> {
    if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Claims nothing more. */
  close(): void {
    this.#open = false;
  }

  /** Something may be there to claim. */
  wake(): void {
    if (this.#open && !this.#busy) this.#run();
  }

  #run(): void {
    this.#busy = true;
    for (let count = 0; count < this.#maxPerTurn; count += 1) {
      const message = this.#open ? this.#mailbox.claim() : undefined;
      if (message === undefined) return this.#rest();
      const running = this.#handle(message);
      if (running !== undefined) return void running.then(this.#next, this.#next);
    }
    this.#clock.defer(() => this.#run());
  }

  #rest(): void {
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
