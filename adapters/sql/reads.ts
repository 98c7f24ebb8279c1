import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { GroupCommit } from "./group_commit.ts";
import { type Query, recordQuery } from "./queries.ts";

/** Reads that see every change handed over before, on disk or not. */
export class Reads {
  readonly #driver: SqlDriver;
  readonly #group: GroupCommit;

  constructor(driver: SqlDriver, group: GroupCommit) {
    this.#driver = driver;
    this.#group = group;
  }

  /** All rows of a query, once what was handed over is on disk. */
  async list<T>(query: Query<T>): Promise<T[]> {
    await this.#group.settle();
    return this.#query(query);
  }

  /** Rows of a query for records of one space: what is not on disk yet is waited for only where it is theirs. */
  listOf<T>(space: string, query: Query<T>): Promise<T[]> {
    const touched = this.#group.pending.some(({ records }) => records.has(space));
    return touched ? this.list(query) : this.#query(query);
  }

  /** The value of one record, without waiting for the disk. */
  async record(space: string, key: string): Promise<Uint8Array | undefined> {
    for (const { records } of this.#group.pending) {
      const found = records.get(space)?.get(key);
      if (found !== undefined) return found.value ?? undefined;
    }
    const [stored] = await this.#query(recordQuery(space, key));
    return stored;
  }

  async #query<T>(query: Query<T>): Promise<T[]> {
    const rows = await this.#driver.all(query);
    return rows.map(query.read);
  }
}
