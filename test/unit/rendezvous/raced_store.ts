import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import type { StoreChange } from "../../../src/ports/store.ts";

/** A store on which another server may be faster: what it does comes between a read and the commit that follows. */
export class RacedStore extends MemoryStore {
  /** Runs before the next commit, once. */
  faster: (() => Promise<unknown>) | undefined;

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    const { faster } = this;
    this.faster = undefined;
    await faster?.();
    await super.commit(changes);
  }
}
