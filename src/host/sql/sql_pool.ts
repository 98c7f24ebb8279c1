import { ActrError } from "../../errors.ts";
import type { SqlDatabases } from "../../ports/sql_databases.ts";
import type { SqlDriver } from "../../ports/sql_driver.ts";

/** Somebody who has a database open. */
export interface PoolMember {
  /** Closes it until it is needed again; false while it is in use. */
  rest(): boolean;
}

/** The databases of a node's actors that are open: a bounded number, each once. */
export class SqlPool {
  readonly #databases: SqlDatabases;
  readonly #maxOpen: number;
  /** By actor; whose was not used for longest comes first. */
  readonly #open = new Map<string, PoolMember>();
  readonly #closing = new Map<string, Promise<void>>();

  constructor(databases: SqlDatabases, { maxOpen }: { readonly maxOpen: number }) {
    this.#databases = databases;
    this.#maxOpen = maxOpen;
  }

  /** Databases that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether a life that was taken for ended, on another node, may have a database open. */
  get shared(): boolean {
    return this.#databases.shared;
  }

  /**
   * Opens an actor's database for `member`, in its life of this number.
   * @throws ActrError `actor.overloaded`, `storage`; `lease_lost` when a later life has it.
   */
  async open(id: string, generation: number, member: PoolMember): Promise<SqlDriver> {
    await this.#closing.get(id);
    this.#makeRoom();
    this.#open.set(id, member);
    try {
      return await this.#databases.open(id, generation);
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  /** A database is used now. */
  touch(id: string, member: PoolMember): void {
    this.#open.delete(id);
    this.#open.set(id, member);
  }

  /** Closes a database; nobody opens it before that is done. */
  async close(id: string, driver: SqlDriver): Promise<void> {
    this.#open.delete(id);
    const closing = Promise.resolve(driver.close()).catch(() => {});
    this.#closing.set(id, closing);
    await closing;
    this.#closing.delete(id);
  }

  /** Deletes a database. @throws ActrError `storage`. */
  async delete(id: string): Promise<void> {
    await this.#closing.get(id);
    await this.#databases.delete(id);
  }

  #makeRoom(): void {
    for (const member of this.#open.values()) {
      if (this.#open.size < this.#maxOpen) return;
      member.rest();
    }
    if (this.#open.size < this.#maxOpen) return;
    const message = `${this.#open.size} databases of actors are open and in use; try again later`;
    throw new ActrError("actor.overloaded", message, {
      retryAfterMs: 1000,
      details: { channel: "sql_databases", capacity: this.#maxOpen },
    });
  }
}
