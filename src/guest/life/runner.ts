import type { Clock } from "../../ports/clock.ts";
import type {
  EntryOutcome,
  GuestCode,
  GuestEntry,
  GuestHost,
  GuestInstance,
} from "../../ports/guest_host.ts";
import type { Logger } from "../../ports/logger.ts";
import { faultOf, type GuestFault, guestFault } from "../fault.ts";
import { fromGuestError } from "../guest_error.ts";
import {
  endedByAnother,
  isRefusing,
  isStopping,
  isUnloaded,
  toCallerError,
  toWaitingError,
} from "./answers.ts";
import { Deadlines } from "./deadlines.ts";
import { EntriesInFlight } from "./entries_in_flight.ts";
import { EntryQueue } from "./entry_queue.ts";
import { HostGate, type NodeOperations } from "./host_gate.ts";
import { Instances } from "./instances.ts";
import { type EnterOptions, type EntryContext, isHook, LiveEntry } from "./live_entry.ts";
import { LogLines } from "./log_lines.ts";
import type { GuestOptions } from "./options.ts";
import type { GuestQuota, MemoryLease } from "./quota.ts";
import { Rebuilds } from "./rebuilds.ts";
import type { GuestState, GuestStatus } from "./status.ts";

/** What a {@link GuestRunner} is made of. */
export interface GuestRunnerComponents<Scope> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: GuestHost;
  readonly code: GuestCode;
  /** Shared by all guests of the process. */
  readonly quota: GuestQuota;
  /** Does what the guest asks of the node; its log is written by the runner. */
  readonly operations: NodeOperations<Scope>;
  /** There is a new instance after a fault, which knows nothing: streams of the old one are to be unregistered. The runner enters `on-start` again afterwards, with the scope of the last. */
  onRebuilt(): Promise<void>;
}

/** One instance and what it does. */
interface Live<Scope> {
  readonly instance: GuestInstance;
  readonly lease: MemoryLease;
  readonly entries: EntriesInFlight<Scope>;
  /** Whether what runs has to run alone. */
  alone: boolean;
}

/**
 * One guest's life, instance after instance: a line of entries, those that may overlap in flight together and every
 * other one alone; deadlines; tokens; and after a fault a new instance for the next entry (`spec/guest.md` §11, §14).
 */
export class GuestRunner<Scope> {
  readonly #components: GuestRunnerComponents<Scope>;
  readonly #options: GuestOptions;
  readonly #instances: Instances;
  readonly #queue: EntryQueue<Scope>;
  readonly #lines: LogLines;
  readonly #rebuilds: Rebuilds;
  readonly #deadlines: Deadlines<LiveEntry<Scope>>;
  readonly #faults: Partial<Record<GuestFault, number>> = {};
  readonly #ending = new AbortController();
  #state: "unloaded" | "serving" | "building" | "stopped" = "unloaded";
  #live: Live<Scope> | undefined;
  /** The last `on-start`, which every new instance is given again. */
  #started: { readonly context: EntryContext; readonly scope: Scope } | undefined;
  /** The one `on-error` that waits or runs: errors that it makes are not told to the guest. */
  #tellingError: LiveEntry<Scope> | undefined;
  #failedQuietly = 0;
  #building: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  /** @throws ActrError `config` when the guest alone may have more memory than all guests together. */
  constructor(components: GuestRunnerComponents<Scope>, options: GuestOptions) {
    const { clock, quota } = components;
    quota.requireRoomFor(options);
    this.#components = components;
    this.#options = options;
    this.#instances = new Instances(components, options);
    this.#queue = new EntryQueue(options.maxQueued, options.maxQueuedHooks);
    this.#lines = new LogLines(clock, options);
    this.#rebuilds = new Rebuilds(clock, options.maxRebuildsPerMinute, options.rebuildPauseMs);
    this.#deadlines = new Deadlines(
      clock,
      () => this.#live?.entries ?? [],
      (late) => this.#expire(late),
    );
  }

  /** Checks and compiles the code, and makes the first instance. @throws ActrError `overloaded`, `timed_out`, or with fault `load_failed`, `init_failed`; the signal's reason. */
  async load(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#ending.signal]);
    try {
      await this.#instances.load(either);
      this.#live = await this.#make(either);
      either.throwIfAborted();
      this.#state = "serving";
    } catch (error) {
      this.#dropLive();
      await this.#instances.dispose();
      throw error;
    }
  }

  /**
   * Enters the guest when its turn has come; resolves with a dispatch's answer. What runs is let finish, whatever its
   * caller does, so this settles only when the guest no longer works for it. A hook's failure is logged, not thrown.
   * @throws ActrError the guest's own; `internal` when it trapped or exceeded a limit; `timed_out`; `unavailable` when
   * another entry ended the instance, or it failed too often; `overloaded` when too many wait; `stopping`. The signal's
   * reason, while the entry waits.
   */
  enter(
    entry: GuestEntry,
    context: EntryContext,
    scope: Scope,
    { overlaps, nested = false, signal, timeoutMs = Number.POSITIVE_INFINITY }: EnterOptions,
  ): Promise<Uint8Array | undefined> {
    const denied = this.#components.quota.entries.tryTake();
    if (denied !== undefined)
      return isHook(entry) ? Promise.resolve(undefined) : Promise.reject(denied);
    const { hookTimeoutMs, entryTimeoutMs } = this.#options;
    const longestMs = isHook(entry) ? hookTimeoutMs : entryTimeoutMs;
    const plan = { overlaps, timeoutMs: Math.min(timeoutMs, longestMs) };
    const asked = new LiveEntry(entry, context, scope, plan, this.#settled);
    if (entry.name === "on-start") this.#started = { context, scope };
    const live = nested ? this.#takesNested(asked) : undefined;
    if (live === undefined) this.#ask(asked, signal);
    else this.#enter(live, asked);
    return asked.ended;
  }

  /** What it does, and what has become of it so far. */
  status(): GuestStatus {
    const refusedForMs = this.#live === undefined ? this.#rebuilds.refusedForMs() : undefined;
    return {
      state: this.#stateNow(refusedForMs),
      ...(refusedForMs !== undefined && { retryAfterMs: refusedForMs }),
      running: this.#live?.entries.size ?? 0,
      queued: this.#queue.size,
      memoryBytes: this.#live?.instance.memoryBytes ?? 0,
      rebuilds: this.#rebuilds.total,
      faults: { ...this.#faults },
      failedQuietly: this.#failedQuietly,
      droppedHooks: this.#queue.droppedHooks,
      droppedLogLines: this.#lines.dropped,
    };
  }

  /** Refuses what waits, lets what runs finish, and gives everything up. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#state = "stopped";
    this.#queue.refuseAll(isStopping());
    this.#ending.abort(isStopping());
    await this.#building;
    await Promise.allSettled([...(this.#live?.entries ?? [])].map(({ ended }) => ended));
    this.#dropLive();
    await this.#instances.dispose();
  }

  #ask(asked: LiveEntry<Scope>, signal: AbortSignal | undefined): void {
    const refusal = signal?.aborted === true ? signal.reason : this.#lineUp(asked);
    if (refusal !== undefined) return asked.fail(refusal);
    this.#pump();
    if (signal === undefined || !this.#queue.has(asked)) return;
    asked.watch(signal, () => {
      if (!this.#queue.take(asked)) return;
      asked.fail(signal.reason);
      this.#pump();
    });
  }

  /** Why an entry is refused, if it is. */
  #lineUp(asked: LiveEntry<Scope>): unknown {
    if (this.#state === "stopped") return isStopping();
    if (this.#state === "unloaded") return isUnloaded();
    if (asked.name !== "on-error") return this.#queue.add(asked);
    if (this.#tellingError !== undefined) return void this.#queue.drop(asked);
    this.#tellingError = asked;
    return this.#queue.add(asked);
  }

  /** Starts what may run now. */
  #pump(): void {
    if (this.#state !== "serving" || this.#queue.size === 0) return;
    const live = this.#live;
    if (live === undefined) return this.#rebuild();
    for (;;) {
      const next = this.#queue.first;
      if (next === undefined || !this.#admits(live, next)) return;
      this.#queue.take(next);
      this.#start(live, next);
    }
  }

  #admits({ entries, alone }: Live<Scope>, { overlaps }: LiveEntry<Scope>): boolean {
    return entries.size === 0 || (overlaps && !alone && entries.size < this.#options.maxRunning);
  }

  /** The instance, if it can take what one of its requests may wait for: beside requests, not beside hooks and chunks. */
  #takesNested({ overlaps }: LiveEntry<Scope>): Live<Scope> | undefined {
    const live = this.#state === "serving" && overlaps ? this.#live : undefined;
    if (live === undefined || live.entries.size >= this.#options.maxRunning) return undefined;
    const [running] = live.entries;
    return running?.name === "dispatch" ? live : undefined;
  }

  #start(live: Live<Scope>, entry: LiveEntry<Scope>): void {
    live.alone = !entry.overlaps;
    this.#enter(live, entry);
  }

  #enter(live: Live<Scope>, entry: LiveEntry<Scope>): void {
    entry.expiresAt = this.#components.clock.monotonic() + entry.timeoutMs;
    const invocation = live.entries.open(entry);
    this.#deadlines.watch(entry);
    void live.instance.enter(entry.entry, invocation).then(
      (outcome) => this.#ended(live, entry, outcome),
      (error: unknown) => this.#failed(live, entry, error),
    );
  }

  /** An entry that was answered before, because the instance is gone, is not answered again. */
  #ended(live: Live<Scope>, entry: LiveEntry<Scope>, outcome: EntryOutcome): void {
    if (!live.entries.close(entry)) return;
    if ("ok" in outcome) entry.resolve(outcome.ok);
    else entry.fail(fromGuestError(outcome.error));
    const excess = live.lease.resize(live.instance.memoryBytes);
    if (excess !== undefined) this.#discard(live, entry, excess);
    this.#pump();
  }

  #failed(live: Live<Scope>, entry: LiveEntry<Scope>, error: unknown): void {
    if (!live.entries.close(entry)) return;
    this.#discard(live, entry, error);
    entry.fail(toCallerError(entry.name, error));
    this.#pump();
  }

  #expire(entry: LiveEntry<Scope>): void {
    const text = `${entry.name} took longer than ${entry.timeoutMs} ms`;
    if (this.#live !== undefined) this.#failed(this.#live, entry, guestFault("timed_out", text));
  }

  /** The instance is gone before anybody is answered: nothing that it still does can be seen. */
  #discard(live: Live<Scope>, entry: LiveEntry<Scope>, error: unknown): void {
    const siblings = live.entries.retireAll();
    this.#dropLive();
    const fault = faultOf(error) ?? "trapped";
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    const { requestId } = entry.context;
    this.#components.log.error("guest.fault", {
      fault,
      entry: entry.name,
      request_id: requestId,
      error,
    });
    for (const sibling of siblings) sibling.fail(endedByAnother());
  }

  #dropLive(): void {
    this.#deadlines.clear();
    this.#live?.instance.discard();
    this.#live?.lease.release();
    this.#live = undefined;
  }

  #rebuild(): void {
    const refusedForMs = this.#rebuilds.refusedForMs();
    if (refusedForMs !== undefined) return this.#queue.refuseAll(isRefusing(refusedForMs));
    this.#state = "building";
    this.#building = this.#build().then(
      () => this.#built(),
      (error: unknown) => this.#notBuilt(error),
    );
  }

  async #build(): Promise<void> {
    const { signal } = this.#ending;
    const { pauseMs } = this.#rebuilds;
    if (pauseMs > 0) await this.#components.clock.sleep(pauseMs, { signal });
    this.#live = await this.#make(signal);
    await this.#components.onRebuilt();
    await this.#startAgain(this.#live);
  }

  #built(): void {
    this.#rebuilds.count();
    this.#resume();
  }

  /** That all guests together have too much is no fault of this one. */
  #notBuilt(error: unknown): void {
    this.#dropLive();
    const reason = toWaitingError(error);
    if (reason.code !== "overloaded") this.#rebuilds.count();
    if (this.#state !== "stopped") this.#components.log.error("guest.not_rebuilt", { error });
    this.#queue.refuseAll(reason);
    this.#resume();
  }

  #resume(): void {
    if (this.#state === "building") this.#state = "serving";
    this.#pump();
  }

  /** What the guest does when it begins, it does in every instance (`spec/guest.md` §21 GD-11). */
  async #startAgain(live: Live<Scope>): Promise<void> {
    if (this.#started === undefined) return;
    const { context, scope } = this.#started;
    const again = { ...context, requestId: "hook:on_start:rebuild" };
    const plan = { overlaps: false, timeoutMs: this.#options.entryTimeoutMs };
    const entry = new LiveEntry({ name: "on-start" }, again, scope, plan, () => {});
    this.#start(live, entry);
    await entry.ended;
  }

  async #make(signal: AbortSignal): Promise<Live<Scope>> {
    const entries = new EntriesInFlight<Scope>();
    const { log, operations } = this.#components;
    const components = { log, operations, lines: this.#lines };
    const gate = new HostGate(components, entries, this.#options.maxHostCalls);
    const leased = await this.#instances.make((call) => gate.perform(call), signal);
    return { ...leased, entries, alone: false };
  }

  /** A hook that fails, or a chunk, is told to nobody else. */
  readonly #settled = (entry: LiveEntry<Scope>, error?: unknown): void => {
    this.#components.quota.entries.give();
    if (entry === this.#tellingError) this.#tellingError = undefined;
    if (error === undefined || !(entry.isHook || entry.name === "on-data-chunk")) return;
    this.#failedQuietly += 1;
    this.#components.log.warn("guest.entry_failed", {
      entry: entry.name,
      request_id: entry.context.requestId,
      error,
    });
  };

  #stateNow(refusedForMs: number | undefined): GuestState {
    if (this.#state !== "serving") return this.#state;
    if (this.#live !== undefined) return "running";
    return refusedForMs === undefined ? "down" : "refusing";
  }
}
