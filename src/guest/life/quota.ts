import type { ActrError } from "../../errors.ts";
import { requireWholeNumbers, unfit, withDefaults } from "./options.ts";
import { Places } from "./places.ts";

/** What all guests of a process may use together (`spec/guest.md` §15). */
export interface GuestQuotaOptions {
  /** Instances that live at once. @default 256 */
  readonly maxInstances: number;
  /** Linear memory of all of them, bytes. @default 1 GiB */
  readonly maxMemoryBytes: number;
  /** Compilations at once. @default 4 */
  readonly maxCompiles: number;
  /** Instances that are made at once. @default 16 */
  readonly maxInstantiations: number;
  /** Entries that wait or run. @default 1024 */
  readonly maxEntries: number;
}

/** The default of every option of {@link GuestQuota}. */
export const defaultGuestQuotaOptions: GuestQuotaOptions = {
  maxInstances: 256,
  maxMemoryBytes: 1024 ** 3,
  maxCompiles: 4,
  maxInstantiations: 16,
  maxEntries: 1024,
};

/** Live instances and their memory. */
export interface MemoryLease {
  /** Accounts the bytes that the instance has now; when that is more than all may have, nothing changes but that it says why. */
  resize(bytes: number): ActrError | undefined;
  /** The instance is gone. Idempotent. */
  release(): void;
}

/** Counts what the guests of a process use, and refuses at once what is too much. One object for all guests, handed to each. */
export class GuestQuota {
  readonly options: GuestQuotaOptions;
  readonly instances: Places;
  readonly memory: Places;
  readonly compiles: Places;
  readonly instantiations: Places;
  readonly entries: Places;

  /** @throws ActrError `config` naming the option that cannot be. */
  constructor(input: Partial<GuestQuotaOptions> = {}) {
    const options = withDefaults(defaultGuestQuotaOptions, input);
    requireWholeNumbers("guests", options);
    this.options = options;
    this.instances = new Places("instances", "guests.maxInstances", options.maxInstances);
    this.memory = new Places("bytes of memory", "guests.maxMemoryBytes", options.maxMemoryBytes);
    this.compiles = new Places("compilations", "guests.maxCompiles", options.maxCompiles);
    this.instantiations = new Places(
      "beginnings",
      "guests.maxInstantiations",
      options.maxInstantiations,
    );
    this.entries = new Places("entries", "guests.maxEntries", options.maxEntries);
  }

  /** One guest alone must not be allowed more than all together. @throws ActrError `config`. */
  requireRoomFor({ memoryBytes }: { readonly memoryBytes: number }): void {
    const { maxMemoryBytes } = this.options;
    if (memoryBytes <= maxMemoryBytes) return;
    throw unfit(
      "guest.memoryBytes",
      memoryBytes,
      `at most guests.maxMemoryBytes, ${maxMemoryBytes}`,
    );
  }

  /**
   * Takes an instance's place. Memory is accounted as it is used, not as it may be: what is declared first, then growth.
   * @param bytes what it has at first. @throws ActrError `overloaded`.
   */
  lease(bytes: number): MemoryLease {
    this.instances.take();
    const refusal = this.memory.tryTake(bytes);
    if (refusal === undefined) return new Lease(this, bytes);
    this.instances.give();
    throw refusal;
  }
}

class Lease implements MemoryLease {
  readonly #quota: GuestQuota;
  #bytes: number;
  #released = false;

  constructor(quota: GuestQuota, bytes: number) {
    this.#quota = quota;
    this.#bytes = bytes;
  }

  resize(bytes: number): ActrError | undefined {
    if (bytes === this.#bytes || this.#released) return undefined;
    const refusal = this.#quota.memory.tryTake(bytes - this.#bytes);
    if (refusal === undefined) this.#bytes = bytes;
    return refusal;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#quota.memory.give(this.#bytes);
    this.#quota.instances.give();
  }
}
