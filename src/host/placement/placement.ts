import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Store, StoreChange } from "../../ports/store.ts";
import { KnownOwners } from "./known_owners.ts";
import { Membership } from "./membership.ts";
import {
  claim,
  fenceOf,
  joining,
  leaseValue,
  leaving,
  nextNumber,
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

/** Renewals that fit into a lease. */
const renewals = 3;
/** How far clocks of nodes may be apart, as a share of a lease. */
const skew = 0.1;

/** Which shards are owned here: the rules of README.md. */
export class Placement {
  /** Which node owns which shard. */
  readonly known: KnownOwners;
  readonly #components: PlacementComponents;
  readonly #leaseMs: number;
  #self: Membership | undefined;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(components: PlacementComponents, { leaseMs }: PlacementOptions) {
    this.#components = components;
    this.known = new KnownOwners(components.store);
    this.#leaseMs = leaseMs;
  }

  /** Shards that are owned here. */
  get owned(): number {
    return this.#self?.owned.size ?? 0;
  }

  /** Whether actors of a shard live here, at this very moment. */
  holds(shard: number): boolean {
    return this.#self?.holds(shard, this.#components.clock.now()) ?? false;
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
    await this.known.read();
    if (this.#self === undefined || !(await this.#renew(this.#self))) await this.#join();
    await this.#buryDead();
    const self = this.#self;
    if (self === undefined) return;
    if (self.learn(this.known.table)) this.#components.owner.gained(self.store, true);
    const fair = Math.ceil(shardCount / Math.max(1, this.known.table.members.size));
    if (self.owned.size < fair) await this.#claim(self, fair - self.owned.size);
    else this.#giveUp(self, self.owned.size - self.leaving.size - fair);
  }

  async #join(): Promise<void> {
    const { clock, node, store, log } = this.#components;
    while (!this.#closed) {
      const number = nextNumber(this.known.table);
      const endsAt = clock.now() + this.#leaseMs;
      const lease = leaseValue(endsAt, node());
      if (await this.#commit(joining(this.known.table, number, lease))) {
        this.#self = new Membership(store, number, lease, endsAt);
        log.info("placement.joined", { member: number });
      }
      await this.known.read();
      if (this.#self !== undefined) return;
    }
  }

  /** False when this node was declared dead. */
  async #renew(self: Membership): Promise<boolean> {
    const { clock, node } = this.#components;
    const endsAt = clock.now() + this.#leaseMs;
    const lease = leaseValue(endsAt, node());
    // As it is stored: whether the last one took effect may not have been told.
    const stored = this.known.table.members.get(self.number)?.lease;
    if (stored === undefined || !(await this.#commit(renewal(self.number, stored, lease)))) {
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
    const dead = [...this.known.table.members.values()].filter(
      ({ number, expiresAt }) => expiresAt < past && number !== this.#self?.number,
    );
    for (const { number, node, lease } of dead) {
      if (await this.#commit(leaving(number, lease)))
        log.warn("placement.buried", { node, number });
    }
    if (dead.length > 0) await this.known.read();
  }

  /** Takes up to `count` shards that nobody owns who is alive, all in one commit. */
  async #claim(self: Membership, count: number): Promise<void> {
    const { shards, members } = this.known.table;
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
    await this.known.read();
    this.#components.owner.gained(self.store, unclean);
  }

  /** Lets others have shards, once the actors in them sleep. */
  #giveUp(self: Membership, count: number): void {
    const { owner, log, store } = this.#components;
    for (const shard of self.staying(count)) {
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
