import type { KeyValues } from "../../actor.ts";
import type { RecordEntry, Store, StoreChange } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { valueSpace } from "../contents.ts";

/** Longest key, UTF-16 units. */
const maxKeyLength = 512;
const defaultLimit = 100;
const maxLimit = 1000;

/** What {@link ActorValues} writes to. */
export interface ValueWriter {
  /** Adds to the next save. */
  add(change: StoreChange): void;
  /** Saves so far: what was added before the last one is in the store. */
  readonly saves: number;
}

/** Durable values of one actor: what is put is seen at once, and written with the turn. */
export class ActorValues implements KeyValues {
  readonly #store: Store;
  readonly #space: string;
  readonly #writer: ValueWriter;
  /** Written since the last save; undefined is deleted. */
  readonly #unsaved = new Map<string, Uint8Array | undefined>();
  #saves = 0;

  constructor(store: Store, id: string, writer: ValueWriter) {
    this.#store = store;
    this.#space = valueSpace(id);
    this.#writer = writer;
  }

  async get<T>(key: string): Promise<T | undefined> {
    const unsaved = this.#overlay();
    const value = unsaved.has(checked(key))
      ? unsaved.get(key)
      : await this.#store.record(this.#space, key);
    return value && (decodeCbor(value) as T);
  }

  put(key: string, value: unknown): void {
    const bytes = encodeCbor(value);
    this.#overlay().set(checked(key), bytes);
    this.#writer.add({ kind: "record.put", space: this.#space, key, value: bytes });
  }

  delete(key: string): void {
    this.#overlay().set(checked(key), undefined);
    this.#writer.add({ kind: "record.delete", space: this.#space, key });
  }

  async list<T>({
    prefix = "",
    after = "",
    limit = defaultLimit,
  }: {
    readonly prefix?: string;
    readonly after?: string;
    readonly limit?: number;
  } = {}): Promise<{ key: string; value: T }[]> {
    const found = new Map<string, Uint8Array | undefined>();
    const unsaved = this.#overlay();
    const count = Math.min(limit, maxLimit);
    const stored = await this.#stored(prefix, after, count + unsaved.size);
    for (const { key, value } of stored) found.set(key, value);
    for (const [key, value] of unsaved) {
      if (key > after && key.startsWith(prefix)) found.set(key, value);
    }
    const entries = [...found].filter(
      (entry): entry is [string, Uint8Array] => entry[1] !== undefined,
    );
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.slice(0, count).map(([key, value]) => ({ key, value: decodeCbor(value) as T }));
  }

  async #stored(prefix: string, after: string, limit: number): Promise<RecordEntry[]> {
    const begins = after >= prefix;
    const first = begins ? undefined : await this.#store.record(this.#space, prefix);
    const entries = await this.#store.records(this.#space, begins ? after : prefix, limit);
    const ours = entries.filter(({ key }) => key.startsWith(prefix));
    return first === undefined ? ours : [{ key: prefix, value: first }, ...ours];
  }

  #overlay(): Map<string, Uint8Array | undefined> {
    if (this.#saves !== this.#writer.saves) {
      this.#saves = this.#writer.saves;
      this.#unsaved.clear();
    }
    return this.#unsaved;
  }
}

function checked(key: string): string {
  if (key.length > 0 && key.length <= maxKeyLength) return key;
  throw new RangeError(`a key has 1 to ${maxKeyLength} characters, this one ${key.length}`);
}
