import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Store, StoreChange } from "../../ports/store.ts";
import { FencedStore } from "./fenced_store.ts";
import {
  claim,
  emptyTable,
  fenceOf,
  joining,
  leaseValue,
  leaving,
  nextNumber,
  type PlacementTable,
  readPlacement,
  release,
  renewal,
} from "./rows.ts";
import { shardCount } from "./shards.ts";

/** Who hosts the actors that are placed. */
export interface PlacementOwner {
  /** Actors live here from now on, and are written through `store`; `unclean` when their last node died. */
  gained(store: Store, unclean: boolean): void;
  /** Puts the actors of a shard to sleep; none wakes any more. */
  release(shard: number): Promise<void>;
  /** No actor lives here any more: what is in memory is worth nothing. */
  lost(error: ActrError): void;
}

/** What a {@link Placement} works with. */
export interface PlacementComponents {
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared with the other nodes. */
  readonly store: Store;
  /** This node's ActrId as text. */
  readonly node: () => string;
  readonly owner: PlacementOwner;
}

/** How long a node may be silent. */
export interface PlacementOptions {
  /** After which its actors wake elsewhere, milliseconds. */
  readonly leaseMs: number;
}

/** This node among those that share the store, since it joined. */
interface Membership {
  readonly number: number;
  readonly store: Store;
  lease: Uint8Array;
  /** Of the clock's `now`. */
  endsAt: number;
  readonly owned: Set<number>;
  /** Owned, and given up at the moment. */
  readonly leaving: Set<number>;
  /** Whether a change of what is owned took effect is not known: the next look tells. */
  readonly unsure: Set<number>;
}

/** Renewals that fit into a lease. */
const renewals = 3;
/** How far clocks of nodes may be apart, as a share of a lease. */
const skew = 0.1;

/** Which shards are owned here, and which node owns the others: the rules of README.md. */
export class Placement {
  readonly #components: PlacementComponents;
  readonly #leaseMs: number;
  #self: Membership | undefined;
  #table: PlacementTable = emptyTable;
  /** Ends waits for owners of shards that are no more. */
  readonly #watches = new Map<
    number,
    { readonly owner: number; readonly moved: AbortController }
  >();
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(components: PlacementComponents, { leaseMs }: PlacementOptions) {
    this.#components = components;
    this.#leaseMs = leaseMs;
  }

  /** Shards that are owned here. */
  get owned(): number {
    return this.#self?.owned.size ?? 0;
  }

  /** Whether actors of a shard live here, at this very moment. */
  holds(shard: number): boolean {
    const self = this.#self;
    if (self === undefined || !self.owned.has(shard) || self.leaving.has(shard)) return false;
    return this.#components.clock.now() < self.endsAt;
  }

  /** The node that owns a shard, as far as it is known, and what ends when that changes. */
  whereIs(shard: number): { readonly node: string; readonly moved: AbortSignal } | undefined {
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

  /** Joins, and takes this node's share of what is free. @throws ActrError `storage`. */
  async start(): Promise<void> {
    this.#arm();
    await this.look();
  }

  /** Looks who owns what, and does what there is to do about it. Calls while it goes on share it. */
  look(): Promise<void> {
    this.#round ??= this.#look().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Gives everything up, once no actor is awake here. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round?.catch(() => {});
    const self = this.#self;
    this.#self = undefined;
    if (self === undefined) return;
    const shards = [...self.owned].map(release);
    await this.#commit([...leaving(self.number, self.lease), ...shards]);
  }

  /** Nothing is renewed any more, as if the process had ended. */
  abandon(): void {
    this.#closed = true;
    this.#self = undefined;
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, log } = this.#components;
    this.#timer = clock.timer(clock.now() + this.#leaseMs / renewals, () => {
      if (this.#closed) return;
      this.#arm();
      this.look().catch((error: unknown) => log.warn("placement.failed", { error }));
    });
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    await this.#read();
    if (this.#self === undefined || !(await this.#renew(this.#self))) await this.#join();
    await this.#buryDead();
    const self = this.#self;
    if (self === undefined) return;
    this.#learn(self);
    const fair = Math.ceil(shardCount / Math.max(1, this.#table.members.size));
    if (self.owned.size < fair) await this.#claim(self, fair - self.owned.size);
    else this.#giveUp(self, self.owned.size - self.leaving.size - fair);
  }

  async #read(): Promise<void> {
    this.#table = await readPlacement(this.#components.store);
    for (const [shard, { owner, moved }] of this.#watches) {
      const { shards, members } = this.#table;
      if (shards.get(shard) === owner && members.has(owner)) continue;
      this.#watches.delete(shard);
      moved.abort(new ActrError("actor.moved", `shard ${shard} is owned by another node now`));
    }
  }

  /** What became of changes whose end was not told. */
  #learn({ number, store, owned, leaving, unsure }: Membership): void {
    if (unsure.size === 0) return;
    for (const shard of unsure) {
      leaving.delete(shard);
      if (this.#table.shards.get(shard) === number) owned.add(shard);
      else owned.delete(shard);
    }
    unsure.clear();
    this.#components.owner.gained(store, true);
  }

  async #join(): Promise<void> {
    const { clock, node, store, log } = this.#components;
    while (!this.#closed) {
      const number = nextNumber(this.#table);
      const endsAt = clock.now() + this.#leaseMs;
      const lease = leaseValue(endsAt, node());
      if (await this.#commit(joining(this.#table, number, lease))) {
        const own = new FencedStore(store, fenceOf(number));
        const [owned, leaving, unsure] = [new Set<number>(), new Set<number>(), new Set<number>()];
        this.#self = { number, store: own, lease, endsAt, owned, leaving, unsure };
        log.info("placement.joined", { member: number });
      }
      await this.#read();
      if (this.#self !== undefined) return;
    }
  }

  /** False when this node was declared dead. */
  async #renew(self: Membership): Promise<boolean> {
    const { clock, node } = this.#components;
    const endsAt = clock.now() + this.#leaseMs;
    const lease = leaseValue(endsAt, node());
    // As it is stored: whether the last one took effect may not have been told.
    const known = this.#table.members.get(self.number)?.lease;
    if (known === undefined || !(await this.#commit(renewal(self.number, known, lease)))) {
      this.#lose(self);
      return false;
    }
    self.lease = lease;
    self.endsAt = endsAt;
    return true;
  }

  #lose({ number, owned }: Membership): void {
    const { log, owner } = this.#components;
    this.#self = undefined;
    log.error("placement.lost", { member: number, shards: owned.size });
    const message = "this node was silent for longer than its lease; its actors live elsewhere";
    owner.lost(new ActrError("lease_lost", message));
  }

  /** Ends members whose lease is over: then nothing that they write takes effect. */
  async #buryDead(): Promise<void> {
    const { clock, log } = this.#components;
    const past = clock.now() - skew * this.#leaseMs;
    const dead = [...this.#table.members.values()].filter(
      ({ number, expiresAt }) => expiresAt < past && number !== this.#self?.number,
    );
    for (const { number, node, lease } of dead) {
      if (await this.#commit(leaving(number, lease)))
        log.warn("placement.buried", { node, number });
    }
    if (dead.length > 0) await this.#read();
  }

  /** Takes up to `count` shards that nobody owns who is alive, all in one commit. */
  async #claim(self: Membership, count: number): Promise<void> {
    const { shards, members } = this.#table;
    const free = shardsFrom(self.number).filter((shard) => {
      const owner = shards.get(shard);
      return owner === undefined || !members.has(owner);
    });
    const wanted = free.slice(0, count);
    if (wanted.length === 0) return;
    const changes = wanted.flatMap((shard) => claim(shard, shards.get(shard), self.number));
    for (const shard of wanted) self.unsure.add(shard);
    const claimed = await this.#commit([fenceOf(self.number), ...changes]);
    for (const shard of wanted) self.unsure.delete(shard);
    if (!claimed) return;
    const unclean = wanted.some((shard) => shards.has(shard));
    for (const shard of wanted) self.owned.add(shard);
    this.#components.log.info("placement.claimed", { shards: wanted.length, unclean });
    await this.#read();
    this.#components.owner.gained(self.store, unclean);
  }

  /** Lets others have shards, once the actors in them sleep. */
  #giveUp(self: Membership, count: number): void {
    const { owner, log, store } = this.#components;
    const surplus = [...self.owned].filter((shard) => !self.leaving.has(shard));
    for (const shard of surplus.slice(0, Math.max(0, count))) {
      self.leaving.add(shard);
      owner
        .release(shard)
        .then(() => store.commit([fenceOf(self.number), release(shard)]))
        .then(() => self.owned.delete(shard) && self.leaving.delete(shard))
        .catch((error: unknown) => {
          self.unsure.add(shard);
          log.warn("placement.release_failed", { shard, error });
        });
    }
  }

  /** False when something is not as it was read: somebody else was quicker. */
  async #commit(changes: readonly StoreChange[]): Promise<boolean> {
    try {
      await this.#components.store.commit(changes);
      return true;
    } catch (error) {
      if (ActrError.from(error).code === "lease_lost") return false;
      throw error;
    }
  }
}

/** All shards; each member begins at another, so that those who claim at once seldom want the same. */
function shardsFrom(number: number): number[] {
  const first = (number * 23) % shardCount;
  return Array.from({ length: shardCount }, (_, at) => (first + at) % shardCount);
}
