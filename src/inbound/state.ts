import type { State } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Store, StoreChange } from "../ports/store.ts";

/** The space of the store that handlers write to. */
const space = "state";

/** Longest key, UTF-16 units. */
const maxKeyLength = 512;

/** The writes of one handler, until it is done. */
export class HandlerState implements State {
  readonly #store: Store;
  readonly #writes = new Map<string, Uint8Array | undefined>();
  #closed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    if (this.#writes.has(key)) return this.#writes.get(key);
    return await this.#store.record(space, key);
  }

  put(key: string, value: Uint8Array): void {
    if (key === "" || key.length > maxKeyLength) {
      throw new RangeError(`state key has ${key.length} units; use 1 to ${maxKeyLength}`);
    }
    this.#write(key, value.slice());
  }

  delete(key: string): void {
    this.#write(key, undefined);
  }

  /** Ends writing and returns what is to be committed. */
  close(): StoreChange[] {
    this.#closed = true;
    return [...this.#writes].map(([key, value]) =>
      value === undefined
        ? { kind: "record.delete", space, key }
        : { kind: "record.put", space, key, value },
    );
  }

  #write(key: string, value: Uint8Array | undefined): void {
    if (this.#closed) {
      throw new ActrError(
        "internal",
        `state ${key} written after the handler had ended; await everything before returning`,
      );
    }
    this.#writes.set(key, value);
  }
}
