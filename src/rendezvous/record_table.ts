import { ActrError } from "../errors.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import { utf8 } from "../protocol/bytes.ts";

const pageSize = 500;
/** Tries of one change, when other servers on the same store change the same record. */
const tries = 8;

/**
 * One space of a store as JSON values, all of them in memory. Several servers may share the store: what another has
 * written is seen at the next {@link RecordTable.load} or {@link RecordTable.refresh}.
 */
export class RecordTable<T> {
  readonly #store: Store;
  readonly #space: string;
  #values = new Map<string, T>();
  /** Changes made here, so that a slower read does not bring back what they replaced. */
  #changes = 0;
  /** The latest change or refresh under way: this process makes one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, space: string) {
    this.#store = store;
    this.#space = space;
  }

  /** @throws ActrError `storage`. */
  static async open<T>(store: Store, space: string): Promise<RecordTable<T>> {
    const table = new RecordTable<T>(store, space);
    await table.refresh();
    return table;
  }

  get size(): number {
    return this.#values.size;
  }

  values(): IterableIterator<T> {
    return this.#values.values();
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** Reads one record again. @throws ActrError `storage`. */
  async load(key: string): Promise<T | undefined> {
    const changes = this.#changes;
    const value = parseRecord<T>(await this.#store.record(this.#space, key));
    if (changes === this.#changes) this.#keep(key, value);
    return value;
  }

  /** Reads all records again. @throws ActrError `storage`. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh());
  }

  async #refresh(): Promise<void> {
    const values = new Map<string, T>();
    for (let after = ""; ; ) {
      const page = await this.#store.records(this.#space, after, pageSize);
      for (const { key, value } of page) values.set(key, parseRecord<T>(value) as T);
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) break;
      after = last.key;
    }
    this.#values = values;
  }

  /**
   * Makes what `change` returns the value of `key`, durably; undefined deletes it. Called again when another server was
   * faster. Resolves with the new value; what `change` throws, nothing is written for.
   * @throws ActrError `storage`; `overloaded` when others were faster each time.
   */
  update<R extends T | undefined>(key: string, change: (old: T | undefined) => R): Promise<R> {
    return this.#inTurn(() => this.#update(key, change));
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const working = this.#changing.then(work);
    this.#changing = working.catch(() => {});
    return working;
  }

  async #update<R extends T | undefined>(
    key: string,
    change: (old: T | undefined) => R,
  ): Promise<R> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const old = await this.#store.record(this.#space, key);
      const value = change(parseRecord<T>(old));
      if (await this.#write(key, old, value)) {
        this.#changes++;
        this.#keep(key, value);
        return value;
      }
    }
    throw new ActrError("overloaded", `${key} of ${this.#space} is being changed by others; retry`);
  }

  /** False when the record is no longer `old`. */
  async #write(key: string, old: Uint8Array | undefined, value: T | undefined): Promise<boolean> {
    const space = this.#space;
    const change: StoreChange =
      value === undefined
        ? { kind: "record.delete", space, key }
        : { kind: "record.put", space, key, value: formatRecord(value) };
    try {
      await this.#store.commit([{ kind: "record.expect", space, key, value: old ?? null }, change]);
      return true;
    } catch (error) {
      if (ActrError.from(error).code === "lease_lost") return false;
      throw error;
    }
  }

  #keep(key: string, value: T | undefined): void {
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
  }
}

/** The value that a record holds. */
export function parseRecord<T>(value: Uint8Array | undefined): T | undefined {
  return value === undefined ? undefined : (JSON.parse(new TextDecoder().decode(value)) as T);
}

/** A value as its record holds it: JSON. */
export function formatRecord(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}
