import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { toHex, utf8 } from "../../protocol/bytes.ts";
import { expireRecords } from "../expire_records.ts";

const space = "rendezvous.nonces";
/** How long a nonce is remembered, milliseconds: longer than any proof with it is accepted. */
const memoryMs = 600_000;

/** Which nonces manufacturers have used, so that a proof counts once: also after a restart, and at one of several servers on the store. */
export class Nonces {
  readonly #store: Store;
  readonly #clock: Clock;
  /** Being written: commits of one moment do not see what the others expect. */
  readonly #taking = new Set<string>();

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Uses up a nonce of a key, durably; false when that was done before. @throws ActrError `storage`. */
  async take(keyId: string, nonce: Uint8Array): Promise<boolean> {
    const key = `${keyId}/${toHex(nonce)}`;
    if (this.#taking.has(key)) return false;
    this.#taking.add(key);
    try {
      return await this.#take(key);
    } finally {
      this.#taking.delete(key);
    }
  }

  async #take(key: string): Promise<boolean> {
    // A commit that fails costs more: those of its moment are written once more without it.
    if ((await this.#store.record(space, key)) !== undefined) return false;
    const value = utf8(String(this.#clock.now()));
    try {
      await this.#store.commit([
        { kind: "record.expect", space, key, value: null },
        { kind: "record.put", space, key, value },
      ]);
      return true;
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
      return false;
    }
  }

  /** Forgets nonces whose proofs are too old to count; returns how many. @throws ActrError `storage`. */
  async expire(): Promise<number> {
    const before = this.#clock.now() - memoryMs;
    return await expireRecords(
      this.#store,
      space,
      (value) => Number(new TextDecoder().decode(value)) < before,
    );
  }
}
