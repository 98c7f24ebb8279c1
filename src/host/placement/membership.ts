import type { Store } from "../../ports/store.ts";
import { FencedStore } from "./fenced_store.ts";
import { fenceOf, type PlacementTable } from "./rows.ts";

/** This node among those that share the store, since it joined, and the shards that it owns. */
export class Membership {
  readonly number: number;
  /** What it writes there takes effect as long as nobody has declared it dead. */
  readonly store: Store;
  /** As it is stored. */
  lease: Uint8Array;
  /** Of its lease, by the clock's `now`. */
  endsAt: number;
  readonly owned: Set<number> = new Set();
  /** Owned, and given up at the moment. */
  readonly leaving: Set<number> = new Set();
  /** Whether a change of what is owned took effect is not known: the next look tells. */
  readonly unsure: Set<number> = new Set();

  constructor(store: Store, number: number, lease: Uint8Array, endsAt: number) {
    this.number = number;
    this.store = new FencedStore(store, fenceOf(number));
    this.lease = lease;
    this.endsAt = endsAt;
  }

  /** Whether actors of a shard live here at this time. */
  holds(shard: number, now: number): boolean {
    return this.owned.has(shard) && !this.leaving.has(shard) && now < this.endsAt;
  }

  /** Up to `count` shards that are to stay, as far as is decided. */
  staying(count: number): number[] {
    const staying = [...this.owned].filter((shard) => !this.leaving.has(shard));
    return staying.slice(0, Math.max(0, count));
  }

  /** Learns what became of changes whose end was not told; false when there are none. */
  learn({ shards }: PlacementTable): boolean {
    if (this.unsure.size === 0) return false;
    for (const shard of this.unsure) {
      this.leaving.delete(shard);
      if (shards.get(shard) === this.number) this.owned.add(shard);
      else this.owned.delete(shard);
    }
    this.unsure.clear();
    return true;
  }
}
