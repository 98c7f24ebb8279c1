import type { Subtask } from "./subtask.ts";
import type { Task } from "./task.ts";

/** Calls of which a guest waits for whichever ends first. */
export class WaitableSet {
  readonly #members = new Set<Subtask>();
  /** Tasks that wait for an end, first come first. */
  readonly waiters: Task[] = [];

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** Puts a call into a set, out of the one that it was in; into none where `set` is left out. */
  static join(subtask: Subtask, set?: WaitableSet): void {
    if (subtask.set !== undefined) subtask.set.#members.delete(subtask);
    subtask.set = set;
    if (set !== undefined) set.#members.add(subtask);
  }

  /** A call that has ended and was not told of; it is from now on. */
  take(): Subtask | undefined {
    for (const member of this.#members) {
      if (!member.isDue) continue;
      member.delivered = true;
      return member;
    }
    return undefined;
  }
}
