import type { Clock } from "../../ports/clock.ts";
import type { EntryOutcome, GuestInstance } from "../../ports/guest_host.ts";
import { guestFault } from "../fault.ts";
import { fromGuestError } from "../guest_error.ts";
import { endedByAnother, toCallerError } from "./answers.ts";
import { Deadlines } from "./deadlines.ts";
import type { EntriesInFlight } from "./entries_in_flight.ts";
import type { LiveEntry } from "./live_entry.ts";
import type { MemoryLease } from "./quota.ts";

/** What a {@link LiveInstance} tells. */
export interface InstanceEvents<Scope> {
  /** `entry` ended the instance, which is discarded; nobody is answered yet. */
  onFault(entry: LiveEntry<Scope>, error: unknown): void;
  /** An entry has ended: there is room, or no instance any more. */
  onEnded(): void;
}

/** What a {@link LiveInstance} is made of. */
export interface LiveInstanceComponents<Scope> {
  readonly clock: Clock;
  readonly instance: GuestInstance;
  /** Its place among all. */
  readonly lease: MemoryLease;
  /** Those of the gate through which the instance asks the node. */
  readonly entries: EntriesInFlight<Scope>;
  readonly events: InstanceEvents<Scope>;
}

/** One instance and what runs in it, each entry within its time; it ends with the first that fails otherwise than by an error of the guest's own. */
export class LiveInstance<Scope> {
  readonly #clock: Clock;
  readonly #instance: GuestInstance;
  readonly #lease: MemoryLease;
  readonly #entries: EntriesInFlight<Scope>;
  readonly #events: InstanceEvents<Scope>;
  readonly #maxRunning: number;
  readonly #deadlines: Deadlines<LiveEntry<Scope>>;
  /** Whether what runs has to run alone. */
  #alone = false;

  constructor(
    { clock, instance, lease, entries, events }: LiveInstanceComponents<Scope>,
    { maxRunning }: { readonly maxRunning: number },
  ) {
    this.#clock = clock;
    this.#instance = instance;
    this.#lease = lease;
    this.#entries = entries;
    this.#events = events;
    this.#maxRunning = maxRunning;
    this.#deadlines = new Deadlines(
      clock,
      () => entries,
      (late) => this.#expire(late),
    );
  }

  /** How many entries are in flight. */
  get running(): number {
    return this.#entries.size;
  }

  get memoryBytes(): number {
    return this.#instance.memoryBytes;
  }

  /** Whether the first of those that wait may run now. */
  admits({ overlaps }: LiveEntry<Scope>): boolean {
    if (this.running === 0) return true;
    return overlaps && !this.#alone && this.running < this.#maxRunning;
  }

  /** Whether it takes what one of its requests may wait for: beside requests, not beside hooks and chunks. */
  admitsNested({ overlaps }: LiveEntry<Scope>): boolean {
    if (!overlaps || this.running >= this.#maxRunning) return false;
    const [running] = this.#entries;
    return running?.name === "dispatch";
  }

  /** Runs an entry that was admitted. */
  run(entry: LiveEntry<Scope>): void {
    this.#alone = !entry.overlaps;
    this.runNested(entry);
  }

  /** Runs one beside what runs, which stays alone if it was. */
  runNested(entry: LiveEntry<Scope>): void {
    entry.expiresAt = this.#clock.monotonic() + entry.timeoutMs;
    const invocation = this.#entries.open(entry);
    this.#deadlines.watch(entry);
    void this.#instance.enter(entry.entry, invocation).then(
      (outcome) => this.#ended(entry, outcome),
      (error: unknown) => this.#failed(entry, error),
    );
  }

  /** Resolves when all that runs has ended, at the latest when its time is up. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#entries].map(({ ended }) => ended));
  }

  /** Gives it up. Idempotent. */
  discard(): void {
    this.#deadlines.clear();
    this.#instance.discard();
    this.#lease.release();
  }

  /** An entry that was answered before, because the instance is gone, is not answered again. */
  #ended(entry: LiveEntry<Scope>, outcome: EntryOutcome): void {
    if (!this.#entries.close(entry)) return;
    if ("ok" in outcome) entry.resolve(outcome.ok);
    else entry.fail(fromGuestError(outcome.error));
    const excess = this.#lease.resize(this.#instance.memoryBytes);
    if (excess !== undefined) this.#endBy(entry, excess);
    this.#events.onEnded();
  }

  #expire(entry: LiveEntry<Scope>): void {
    const text = `${entry.name} took longer than ${entry.timeoutMs} ms`;
    this.#failed(entry, guestFault("timed_out", text));
  }

  #failed(entry: LiveEntry<Scope>, error: unknown): void {
    if (!this.#entries.close(entry)) return;
    this.#endBy(entry, error);
    entry.fail(toCallerError(entry.name, error));
    this.#events.onEnded();
  }

  /** It is gone before anybody is answered: nothing that it still does can be seen. */
  #endBy(entry: LiveEntry<Scope>, error: unknown): void {
    const siblings = this.#entries.retireAll();
    this.discard();
    this.#events.onFault(entry, error);
    for (const sibling of siblings) sibling.fail(endedByAnother());
  }
}
