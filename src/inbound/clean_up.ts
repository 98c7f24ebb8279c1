import type { InboundOptions } from "../options.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import type { Dedup } from "./dedup.ts";

/** Collaborators of {@link CleanUp}. */
export interface CleanUpComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly dedup: Dedup;
}

/** Keeps answers and dead letters in the store within their time and number. */
export class CleanUp {
  readonly #components: CleanUpComponents;
  readonly #options: InboundOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(components: CleanUpComponents, options: InboundOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Cleans up now and then at every pause. */
  start(): void {
    const { clock } = this.#components;
    this.#running = this.#run();
    this.#timer = clock.timer(clock.now() + this.#options.cleanUpMs, () => this.start());
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }

  /** Never fails: what is left over is tried again at the next pause. */
  async #run(): Promise<void> {
    const { clock, log, store, dedup } = this.#components;
    const { deadLetterTtlMs, deadLetterMaxEntries } = this.#options;
    try {
      for (const change of dedup.expire()) await store.commit([change]);
      await store.commit([
        { kind: "deadLetter.expire", before: clock.now() - deadLetterTtlMs },
        { kind: "deadLetter.keep", newest: deadLetterMaxEntries },
      ]);
    } catch (error) {
      log.warn("store.clean_up_failed", { error });
    }
  }
}
