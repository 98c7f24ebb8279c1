import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import type { StoreChange } from "../../../src/ports/store.ts";

/** A store in memory whose commits a test may hold back. */
export class HeldStore extends MemoryStore {
  #held: Promise<void> | undefined;
  #release: () => void = () => {};
  /** Commits that were asked for. */
  readonly commits: (readonly StoreChange[])[] = [];

  /** Commits wait from here on. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#held = undefined;
    this.#release();
  }

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    this.commits.push(changes);
    await this.#held;
    await super.commit(changes);
  }
}
