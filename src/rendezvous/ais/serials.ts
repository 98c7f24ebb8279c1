import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { serialNumber } from "../../protocol/serial.ts";
import { metaSpace } from "../secrets.ts";

const sequencesPerMs = 256;
/** Milliseconds reserved with one write: a restart skips at most these, and ten seconds of registrations cost one write. */
const blockMs = 10_000;

/** Each worker reserves for itself, since its number makes its serials differ from those of the others. */
function keyOf(worker: number): string {
  return worker === 0 ? "serial.reserved" : `serial.reserved.${worker}`;
}

/**
 * Source of serial numbers that ascend and never repeat, also when the process restarts or the clock goes back:
 * the milliseconds that they may be stamped with are reserved in the store before the first of them is used.
 */
export class Serials {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #worker: number;
  #ms: number;
  #sequence = sequencesPerMs;
  /** Stamps below this one, Unix milliseconds, are reserved. */
  #reserved: number;
  /** What is reserved, as it was last seen in the store. */
  #saved: Uint8Array | undefined;
  #reserving: Promise<void> | undefined;

  private constructor(store: Store, clock: Clock, worker: number, saved: Uint8Array | undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#worker = worker;
    this.#saved = saved;
    this.#reserved = endOf(saved);
    this.#ms = this.#reserved - 1;
  }

  /** Continues after every serial that an earlier process may have given out. `worker`: 0 to 31. */
  static async open(store: Store, clock: Clock, worker: number): Promise<Serials> {
    return new Serials(store, clock, worker, await store.record(metaSpace, keyOf(worker)));
  }

  /** The next serial. @throws ActrError `storage` when its block could not be reserved. */
  async next(): Promise<bigint> {
    this.#advance();
    while (this.#ms >= this.#reserved) {
      this.#reserving ??= this.#reserve(this.#ms + blockMs);
      await this.#reserving;
      this.#advance();
    }
    return serialNumber(this.#ms, this.#worker, this.#sequence++);
  }

  /** Moves to the current millisecond, or to the next one when this one is used up or the clock stands behind. */
  #advance(): void {
    const usable = this.#sequence < sequencesPerMs ? this.#ms : this.#ms + 1;
    const next = Math.max(this.#clock.now(), usable);
    if (next !== this.#ms) this.#sequence = 0;
    this.#ms = next;
  }

  async #reserve(end: number): Promise<void> {
    try {
      const place = { space: metaSpace, key: keyOf(this.#worker) };
      const value = utf8(String(end));
      await this.#store.commit([
        { kind: "record.expect", ...place, value: this.#saved ?? null },
        { kind: "record.put", ...place, value },
      ]);
      this.#saved = value;
      this.#reserved = end;
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
      await this.#leap();
    } finally {
      this.#reserving = undefined;
    }
  }

  /** Goes on after what another server reserved, which was taken for dead, or took this one for it, and has the same worker. */
  async #leap(): Promise<void> {
    this.#saved = await this.#store.record(metaSpace, keyOf(this.#worker));
    this.#ms = Math.max(this.#ms, endOf(this.#saved) - 1);
    this.#sequence = sequencesPerMs;
  }
}

function endOf(saved: Uint8Array | undefined): number {
  return saved === undefined ? 0 : Number(new TextDecoder().decode(saved));
}
