import type { Clock } from "../../src/ports/clock.ts";

/** Lets a procedure wait for events that others tell of, for a limited time. */
export class Bell {
  readonly #clock: Clock;
  readonly #looks = new Set<() => void>();
  #silenced = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nothing will change any more. */
  get silenced(): boolean {
    return this.#silenced;
  }

  /** Something has changed: whoever waits looks again. */
  ring(): void {
    for (const look of this.#looks) look();
  }

  /** Nothing will change any more: whoever waits, now or later, is told that it did not happen. */
  silence(): void {
    this.#silenced = true;
    this.ring();
  }

  /** Resolves with true as soon as `holds` does, with false after `ms` or when silenced. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    if (this.#silenced || ms <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (outcome: boolean): void => {
        timer.cancel();
        this.#looks.delete(look);
        resolve(outcome);
      };
      const look = (): void => {
        if (holds()) settle(true);
        else if (this.#silenced) settle(false);
      };
      const timer = this.#clock.timer(this.#clock.now() + ms, () => settle(false));
      this.#looks.add(look);
    });
  }
}
