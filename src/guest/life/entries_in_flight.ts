import type { Invocation } from "../../ports/guest_host.ts";
import type { LiveEntry } from "./live_entry.ts";

/** The entries that one instance runs, by the tokens under which it speaks for them (`spec/guest.md` §11). */
export class EntriesInFlight<Scope> {
  readonly #byToken = new Map<bigint, LiveEntry<Scope>>();
  /** Under which token each stream was registered: its callback goes on using that one. */
  readonly #streams = new Map<string, bigint>();
  /** Retired tokens of streams whose chunk is being handled. */
  readonly #aliases = new Map<bigint, LiveEntry<Scope>>();
  #lastToken = 0n;

  get size(): number {
    return this.#byToken.size;
  }

  /** In the order in which they began. */
  [Symbol.iterator](): Iterator<LiveEntry<Scope>> {
    return this.#byToken.values();
  }

  /** Gives an entry its token. */
  open(entry: LiveEntry<Scope>): Invocation {
    this.#lastToken += 1n;
    entry.token = this.#lastToken;
    this.#byToken.set(entry.token, entry);
    const registered = entry.streamId === undefined ? undefined : this.#streams.get(entry.streamId);
    if (registered !== undefined) this.#aliases.set(registered, entry);
    return { token: entry.token, ...entry.context };
  }

  /** Retires an entry's token; false when it was retired before. */
  close(entry: LiveEntry<Scope>): boolean {
    if (entry.streamId !== undefined) this.#aliases.clear();
    return this.#byToken.delete(entry.token);
  }

  /** Whom a token of the guest stands for. */
  find(token: bigint): LiveEntry<Scope> | undefined {
    return this.#byToken.get(token) ?? this.#aliases.get(token);
  }

  /** Remembers under which token a stream was registered. */
  registered(streamId: string, token: bigint): void {
    this.#streams.set(streamId, token);
  }

  /** The stream is no longer the guest's. */
  unregistered(streamId: string): void {
    this.#streams.delete(streamId);
  }

  /** Retires all, and gives them back. */
  retireAll(): LiveEntry<Scope>[] {
    const entries = [...this];
    this.#byToken.clear();
    this.#aliases.clear();
    this.#streams.clear();
    return entries;
  }
}
