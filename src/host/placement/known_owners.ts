import { ActrError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import { emptyTable, type PlacementTable, readPlacement } from "./rows.ts";

/** The node that owns a shard. */
export interface ShardPlace {
  /** Its ActrId as text. */
  readonly node: string;
  /** Ends when it owns the shard no more. */
  readonly moved: AbortSignal;
}

/** Which node owns which shard, as the store said when it was read last. */
export class KnownOwners {
  readonly #store: Pick<Store, "records">;
  /** Ends waits for owners of shards that are no more. */
  readonly #watches = new Map<
    number,
    { readonly owner: number; readonly moved: AbortController }
  >();
  #table: PlacementTable = emptyTable;

  constructor(store: Pick<Store, "records">) {
    this.#store = store;
  }

  get table(): PlacementTable {
    return this.#table;
  }

  /** Where a shard is, as far as it is known. */
  whereIs(shard: number): ShardPlace | undefined {
    const owner = this.#table.shards.get(shard);
    const member = owner === undefined ? undefined : this.#table.members.get(owner);
    if (member === undefined) return undefined;
    let watch = this.#watches.get(shard);
    if (watch === undefined) {
      watch = { owner: member.number, moved: new AbortController() };
      this.#watches.set(shard, watch);
    }
    return { node: member.node, moved: watch.moved.signal };
  }

  /** Whether this is the ActrId, as text, of a node that shares the store, as far as is known. */
  hasMember(node: string): boolean {
    for (const member of this.#table.members.values()) if (member.node === node) return true;
    return false;
  }

  /** Reads it anew. @throws ActrError `storage`. */
  async read(): Promise<void> {
    this.#table = await readPlacement(this.#store);
    const { shards, members } = this.#table;
    for (const [shard, { owner, moved }] of this.#watches) {
      if (shards.get(shard) === owner && members.has(owner)) continue;
      this.#watches.delete(shard);
      moved.abort(new ActrError("actor.moved", `shard ${shard} is owned by another node now`));
    }
  }
}
