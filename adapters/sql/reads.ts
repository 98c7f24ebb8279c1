import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { StoredAnswer } from "../../src/ports/store.ts";
import { pairKey } from "./effects.ts";
import type { GroupCommit } from "./group_commit.ts";
import { answerQuery, type Query, recordQuery } from "./queries.ts";

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

  /** One answer, without waiting for the disk if that can be helped. */
  async answer(caller: string, requestId: string): Promise<StoredAnswer | undefined> {
    const key = pairKey(caller, requestId);
    let expireBefore = Number.NEGATIVE_INFINITY;
    const live = (answer: StoredAnswer | null | undefined): StoredAnswer | undefined =>
      answer && answer.expiresAt >= expireBefore ? answer : undefined;
    for (const effects of this.#group.pending) {
      // Only the database knows which answers a limit leaves.
      if (effects.answerLimit !== undefined) {
        await this.#group.settle();
        break;
      }
      const found = effects.answers.get(key);
      if (found !== undefined) return live(found.answer);
      expireBefore = Math.max(expireBefore, effects.expireBefore);
    }
    const [stored] = await this.#query(answerQuery(caller, requestId));
    return live(stored);
  }

  /** The value of one record, without waiting for the disk. */
  async record(space: string, key: string): Promise<Uint8Array | undefined> {
    const id = pairKey(space, key);
    for (const effects of this.#group.pending) {
      const found = effects.records.get(id);
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
