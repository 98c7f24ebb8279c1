import type { Subtask } from "./subtask.ts";
import { exceed, trap } from "./trap.ts";
import { WaitableSet } from "./waitable_set.ts";

/** Most handles that an instance may hold: each stands for a call that its node is at, or a set of such. */
const mostHandles = 4_096;

/** What an instance holds of its host, by small numbers from 1 on that are used again (`spec/guest.md` §17). */
export class Handles {
  /** 0 is no handle. */
  readonly #held: (Subtask | WaitableSet | undefined)[] = [undefined];
  readonly #free: number[] = [];

  /** @throws ActrError with fault `resource_limit` when there are too many. */
  add(held: Subtask | WaitableSet): number {
    const handle = this.#free.pop() ?? this.#held.length;
    if (handle > mostHandles) exceed(`${mostHandles} calls and sets at once`);
    this.#held[handle] = held;
    return handle;
  }

  set(handle: number): WaitableSet {
    const held = this.#held[handle];
    return held instanceof WaitableSet ? held : trap(`${handle} is not a set`);
  }

  subtask(handle: number): Subtask {
    const held = this.#held[handle];
    return held === undefined || held instanceof WaitableSet
      ? trap(`${handle} is not a call in flight`)
      : held;
  }

  remove(handle: number): void {
    this.#held[handle] = undefined;
    this.#free.push(handle);
  }
}
