import { ActrError } from "../../errors.ts";
import type { LiveEntry } from "./live_entry.ts";

/** Entries that wait for a guest, in the order in which they came. A set, because callers leave from its middle. */
export class EntryQueue<Scope> {
  readonly #entries = new Set<LiveEntry<Scope>>();
  /** Those of them that are hooks. */
  readonly #hooks = new Set<LiveEntry<Scope>>();
  readonly #most: number;
  readonly #mostHooks: number;
  #droppedHooks = 0;
  /** The last `on-error`: errors that are made while it waits or runs are not told to the guest. */
  #lastError: LiveEntry<Scope> | undefined;

  constructor(most: number, mostHooks: number) {
    this.#most = most;
    this.#mostHooks = mostHooks;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Hooks that were dropped because newer ones came. */
  get droppedHooks(): number {
    return this.#droppedHooks;
  }

  /** The next that {@link take} is for. */
  get first(): LiveEntry<Scope> | undefined {
    for (const entry of this.#entries) return entry;
    return undefined;
  }

  /** Puts an entry last; of too many hooks the oldest is dropped. Why there is no room for it, if so: `overloaded`. */
  add(entry: LiveEntry<Scope>): ActrError | undefined {
    if (entry.isHook) this.#addHook(entry);
    else if (this.#entries.size - this.#hooks.size >= this.#most) return full(this.#most);
    else this.#entries.add(entry);
    return undefined;
  }

  has(entry: LiveEntry<Scope>): boolean {
    return this.#entries.has(entry);
  }

  /** Takes an entry out of the line; false when it was not in it. */
  take(entry: LiveEntry<Scope>): boolean {
    this.#hooks.delete(entry);
    entry.unwatch();
    return this.#entries.delete(entry);
  }

  /** Takes all out of the line, with an answer. */
  refuseAll(reason: ActrError): void {
    for (const entry of this.#entries) {
      this.take(entry);
      entry.fail(reason);
    }
  }

  #addHook(hook: LiveEntry<Scope>): void {
    if (hook.name === "on-error") {
      if (this.#lastError?.over === false) return this.#drop(hook);
      this.#lastError = hook;
    }
    this.#entries.add(hook);
    this.#hooks.add(hook);
    if (this.#hooks.size <= this.#mostHooks) return;
    for (const oldest of this.#hooks) return this.#drop(oldest);
  }

  /** Ends a hook that the guest is not told of, and counts it. */
  #drop(hook: LiveEntry<Scope>): void {
    this.take(hook);
    this.#droppedHooks += 1;
    hook.resolve(undefined);
  }
}

function full(most: number): ActrError {
  return new ActrError("overloaded", `${most} entries wait for the guest; come again later`, {
    retryAfterMs: 100,
  });
}
