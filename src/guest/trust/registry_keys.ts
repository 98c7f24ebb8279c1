import { abortable } from "#async";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { abortAfter } from "../../time_limit.ts";
import { unreachable } from "./refusal.ts";
import type { KeyName } from "./registry_http.ts";

/** Bounds of {@link RegistryKeys}. */
const limits = {
  /** Names remembered, those without a key too; the one unused for longest goes first. */
  names: 256,
  /** How long a key counts without being asked for again, milliseconds. */
  keyMs: 3_600_000,
  /** How long a name counts as one without a key, milliseconds. */
  refusalMs: 30_000,
  /** Deadline of one exchange, milliseconds. */
  fetchMs: 5_000,
} as const;

/** What a registry said of a name. */
type Known = { readonly untilMs: number } & (
  | { readonly key: Uint8Array }
  | { readonly refusal: ActrError }
);

interface Components {
  readonly clock: Clock;
  /** Its address, for errors. */
  readonly registry: string;
  /** @throws ActrError `permission_denied` where the registry says that there is no such key. */
  readonly fetchKey: (name: KeyName, signal: AbortSignal) => Promise<Uint8Array>;
}

/** Keys of manufacturers as a registry has them: asked for once at a time, kept for an hour (`spec/guest.md` §21 GD-3). */
export class RegistryKeys {
  readonly #clock: Clock;
  readonly #registry: string;
  readonly #fetchKey: Components["fetchKey"];
  readonly #allowStale: boolean;
  /** By time of last use. */
  readonly #known = new Map<string, Known>();
  readonly #fetching = new Map<string, Promise<Uint8Array>>();

  /** @param options.allowStale whether a key that was kept for too long still counts while the registry cannot be reached. */
  constructor(
    { clock, registry, fetchKey }: Components,
    { allowStale }: { readonly allowStale: boolean },
  ) {
    this.#clock = clock;
    this.#registry = registry;
    this.#fetchKey = fetchKey;
    this.#allowStale = allowStale;
  }

  /** The public key of a name. @throws ActrError `permission_denied`, `unavailable`; the signal's reason. */
  async get(name: KeyName, signal?: AbortSignal): Promise<Uint8Array> {
    // An id has a form of its own: no two names are written alike.
    const text = `${name.manufacturer}:${name.keyId}`;
    const known = this.#known.get(text);
    if (known !== undefined && this.#clock.monotonic() < known.untilMs) {
      this.#keep(text, known);
      if ("refusal" in known) throw known.refusal;
      return known.key;
    }
    // The exchange is shared: one caller's end must not be the others'.
    const fetching = this.#fetching.get(text) ?? this.#start(text, name);
    return await (signal === undefined ? fetching : abortable(fetching, signal));
  }

  #start(text: string, name: KeyName): Promise<Uint8Array> {
    const fetching = this.#fetch(text, name).finally(() => this.#fetching.delete(text));
    fetching.catch(() => {}); // Every waiter may have left; they hear of it through their own wait.
    this.#fetching.set(text, fetching);
    return fetching;
  }

  async #fetch(text: string, name: KeyName): Promise<Uint8Array> {
    try {
      const key = await this.#exchange(text, name);
      this.#keep(text, { key, untilMs: this.#clock.monotonic() + limits.keyMs });
      return key;
    } catch (error) {
      return this.#otherwise(text, error);
    }
  }

  async #exchange(text: string, name: KeyName): Promise<Uint8Array> {
    const limit = abortAfter(this.#clock, limits.fetchMs, undefined, `the key of ${text}`);
    try {
      return await abortable(this.#fetchKey(name, limit.signal), limit.signal);
    } finally {
      limit.cancel();
    }
  }

  /** What counts where no key came: a no is remembered, an old key may stand in for no answer. */
  #otherwise(text: string, error: unknown): Uint8Array {
    if (ActrError.is(error) && error.code === "permission_denied") {
      const untilMs = this.#clock.monotonic() + limits.refusalMs;
      this.#keep(text, { refusal: error, untilMs });
      throw error;
    }
    const old = this.#known.get(text);
    if (this.#allowStale && old !== undefined && "key" in old) return old.key;
    const what = `registry ${this.#registry} cannot be asked for the key ${text}`;
    throw unreachable(`${what}: ${ActrError.from(error).message}`, error);
  }

  #keep(text: string, known: Known): void {
    this.#known.delete(text);
    this.#known.set(text, known);
    if (this.#known.size <= limits.names) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
