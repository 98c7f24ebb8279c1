import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { ActrError } from "../../../src/errors.ts";
import type { StoreChange } from "../../../src/ports/store.ts";

/** A store in memory whose commits a test may hold back. */
export class HeldStore extends MemoryStore {
  #held: Promise<void> | undefined;
  #release: () => void = () => {};
  #refusal: ActrError | undefined;
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

  /** The next commit fails, as one would whose changes the database does not take. */
  refuseNext(fault: "statement" | "database"): void {
    this.failNext(new ActrError("storage", "it is not taken", { details: { fault } }));
  }

  /** The next commit fails with `error`. */
  failNext(error: ActrError): void {
    this.#refusal = error;
  }

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    this.commits.push(changes);
    await this.#held;
    if (refusal !== undefined) throw refusal;
    await super.commit(changes);
  }
}
