import type { Clock, Timer } from "../../ports/clock.ts";
import { withResolvers } from "../../with_resolvers.ts";

/** Hears of every change of what the strands of a workflow wait for. */
export interface StrandOwner {
  readonly clock: Clock;
  changed(): void;
}

/** What is waited for: a time, Unix milliseconds, or none. */
interface Wait {
  readonly atMs: number | undefined;
  readonly timer: Timer | undefined;
}

/** One line of a workflow's code: the root, or a branch of a join or a race, which may part into more. */
export class Strand {
  readonly #owner: StrandOwner;
  readonly #parent: Strand | undefined;
  readonly #children = new Set<Strand>();
  readonly #end = new AbortController();
  readonly #stopped = withResolvers<void>();
  /** Whether it only goes over what has been: where the history ends, it does. */
  readonly isPast: boolean;
  #wait: Wait | undefined;

  constructor(owner: StrandOwner, isPast: boolean, parent?: Strand) {
    this.#owner = owner;
    this.isPast = isPast;
    this.#parent = parent;
  }

  /** Resolves when it has come to where the history ends. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Aborted when nothing of it counts any more. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether it goes on only when something comes. */
  get isIdle(): boolean {
    if (this.#wait !== undefined) return true;
    if (this.#children.size === 0) return false;
    for (const child of this.#children) if (!child.isIdle) return false;
    return true;
  }

  /** When it goes on by itself, Unix milliseconds; undefined when it waits for messages alone. */
  get wakesAt(): number | undefined {
    let first = this.#wait?.atMs;
    for (const { wakesAt } of this.#children) {
      if (wakesAt !== undefined && (first === undefined || wakesAt < first)) first = wakesAt;
    }
    return first;
  }

  /** A branch of it, which it waits for. */
  fork(isPast: boolean): Strand {
    const child = new Strand(this.#owner, isPast, this);
    this.#children.add(child);
    return child;
  }

  /** Its code has ended, or is not waited for any more. */
  end(): void {
    this.dispose();
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    this.#owner.changed();
  }

  /** Nothing of it goes on. */
  cancel(): void {
    for (const child of this.#children) child.cancel();
    this.#end.abort();
    this.end();
  }

  /** The history ends where it is, and so does it. */
  stop(): Promise<never> {
    this.#stopped.resolve();
    return never();
  }

  /** Its timers, and those of its branches, do not fire. */
  dispose(): void {
    this.#wait?.timer?.cancel();
    this.#wait = undefined;
    for (const child of this.#children) child.dispose();
  }

  /** Resolves at a time, Unix milliseconds; never, when it is cancelled before. */
  async until(atMs: number): Promise<void> {
    const { clock } = this.#owner;
    if (clock.now() >= atMs) return;
    await new Promise<void>((resolve) => {
      const timer = clock.timer(atMs, () => {
        this.goesOn();
        resolve();
      });
      this.#waits({ atMs, timer });
    });
  }

  /** It waits for something that comes from outside, or for a time that somebody else watches. */
  waits(atMs: number | undefined): void {
    this.#waits({ atMs, timer: undefined });
  }

  /** It waits no longer. */
  goesOn(): void {
    if (this.#wait === undefined) return;
    this.#wait = undefined;
    this.#owner.changed();
  }

  #waits(wait: Wait): void {
    this.#wait = wait;
    this.#owner.changed();
  }
}

/** What is left of code that nothing counts of any more: it does not go on. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
