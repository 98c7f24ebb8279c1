import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Store } from "../../ports/store.ts";
import type { RecordTable } from "../record_table.ts";
import { enterRow, openRows, rowKey, type ServerRow } from "./server_rows.ts";

/** What a {@link Roster} stands on. */
export interface RosterComponents {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a server stands in the roster. */
export interface RosterOptions {
  readonly peerUrl?: string;
  /** Silence after which a server counts as dead, milliseconds. */
  readonly leaseMs: number;
}

/** Who wants to know of the other servers. */
export interface RosterWatcher {
  /** Monotonic milliseconds at which a server was last heard on a line; 0 for never. */
  heardAt(number: number): number;
  /** A server is there. */
  found(server: ServerRow): void;
  /** A server is dead, or has left. */
  gone(number: number): void;
  /** This server was taken for dead, and goes on under another number. */
  renumbered(): void;
}

/** Looks at the roster that fit into a lease. */
export const looksPerLease = 3;

/**
 * The servers of a cluster, by their rows in the store. One is dead when its row has stood still, and no line has brought
 * anything of it, for a lease: each server measures that by its own clock, so clocks need not agree.
 */
export class Roster {
  readonly #components: RosterComponents;
  readonly #options: RosterOptions;
  readonly #table: RecordTable<ServerRow>;
  /** When the row of another server was last seen to change, monotonic milliseconds. */
  readonly #seen = new Map<number, { beat: number; at: number }>();
  #self: ServerRow;
  #watcher: RosterWatcher | undefined;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #blind = false;
  #closed = false;

  private constructor(
    components: RosterComponents,
    options: RosterOptions,
    table: RecordTable<ServerRow>,
    self: ServerRow,
  ) {
    this.#components = components;
    this.#options = options;
    this.#table = table;
    this.#self = self;
  }

  /** Takes a place in the roster. @throws ActrError `storage`. */
  static async join(components: RosterComponents, options: RosterOptions): Promise<Roster> {
    const table = await openRows(components.store);
    const self = await enterRow(components.store, table, options);
    components.log.info("rendezvous.cluster.joined", { server: self.number });
    return new Roster(components, options, table, self);
  }

  /** This server. */
  get self(): ServerRow {
    return this.#self;
  }

  /** Every server of which there is a row, this one too. */
  list(): ServerRow[] {
    return [...this.#table.values()].sort((a, b) => a.number - b.number);
  }

  /** Tells of the others from now on. */
  watch(watcher: RosterWatcher): void {
    this.#watcher = watcher;
    this.#compare();
    this.#arm();
  }

  /** Renews this server's row and looks at those of the others. Calls while it goes on share it; never rejects. */
  look(): Promise<void> {
    this.#round ??= this.#look().then(
      () => {
        this.#round = undefined;
      },
      (error: unknown) => {
        this.#round = undefined;
        // While nothing can be read, nothing is known of the others.
        this.#blind = true;
        this.#components.log.warn("rendezvous.cluster.look_failed", { error });
      },
    );
    return this.#round;
  }

  /** Leaves the roster. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
    const gone = (): undefined => undefined;
    await this.#table.update(rowKey(this.#self.number), gone).catch((error: unknown) => {
      this.#components.log.warn("rendezvous.cluster.leave_failed", { error });
    });
  }

  #arm(): void {
    const { clock } = this.#components;
    this.#timer = clock.timer(clock.now() + this.#options.leaseMs / looksPerLease, () => {
      if (this.#closed) return;
      this.#arm();
      void this.look();
    });
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    await this.#table.refresh();
    await this.#renew();
    this.#compare();
    this.#blind = false;
    for (const server of this.#silent()) await this.#end(server);
  }

  async #renew(): Promise<void> {
    const renewed = await this.#table.update(rowKey(this.#self.number), (row) =>
      row === undefined ? undefined : { ...row, beat: row.beat + 1 },
    );
    if (renewed !== undefined) {
      this.#self = renewed;
      return;
    }
    this.#self = await enterRow(this.#components.store, this.#table, this.#options, this.#self);
    this.#components.log.warn("rendezvous.cluster.joined_again", { server: this.#self.number });
    // Under the new number everybody has to be met anew.
    this.#seen.clear();
    this.#watcher?.renumbered();
  }

  /** Notes what has changed since the last look. */
  #compare(): void {
    const now = this.#components.clock.monotonic();
    const rows = new Map<number, ServerRow>();
    for (const row of this.#table.values()) {
      if (row.number !== this.#self.number) rows.set(row.number, row);
    }
    for (const number of [...this.#seen.keys()]) if (!rows.has(number)) this.#forget(number);
    for (const row of rows.values()) {
      const seen = this.#seen.get(row.number);
      if (seen === undefined || seen.beat !== row.beat || this.#blind) {
        this.#seen.set(row.number, { beat: row.beat, at: now });
      }
      if (seen === undefined) this.#watcher?.found(row);
    }
  }

  #silent(): ServerRow[] {
    const deadline = this.#components.clock.monotonic() - this.#options.leaseMs;
    return this.list().filter(({ number }) => {
      const seen = this.#seen.get(number);
      if (seen === undefined) return false;
      return Math.max(seen.at, this.#watcher?.heardAt(number) ?? 0) <= deadline;
    });
  }

  async #end(server: ServerRow): Promise<void> {
    if (!(await this.#bury(server))) return;
    this.#components.log.warn("rendezvous.cluster.buried", { server: server.number });
    this.#forget(server.number);
  }

  #forget(number: number): void {
    this.#seen.delete(number);
    this.#watcher?.gone(number);
  }

  /** Deletes a row; false when it is another than was read. */
  async #bury({ number, beat }: ServerRow): Promise<boolean> {
    const left = await this.#table.update(rowKey(number), (row) =>
      row?.beat === beat ? undefined : row,
    );
    return left === undefined;
  }
}
