import type { GuestEntry } from "../../ports/guest_host.ts";
import type { Logger } from "../../ports/logger.ts";
import { isStopping } from "./answers.ts";
import { EntryQueue } from "./entry_queue.ts";
import { Generations, type GenerationsComponents } from "./generations.ts";
import { type EnterOptions, type EntryContext, isHook, LiveEntry } from "./live_entry.ts";
import { LogLines } from "./log_lines.ts";
import type { GuestOptions } from "./options.ts";
import type { GuestQuota } from "./quota.ts";
import type { GuestStatus } from "./status.ts";

/** What a {@link GuestRunner} is made of. */
export type GuestRunnerComponents<Scope> = Omit<GenerationsComponents<Scope>, "lines">;

/**
 * One guest's life: a line of entries, those that may overlap in flight together and every other one alone, in one
 * instance after another (`spec/guest.md` §11, §14). An entry goes from `enter` to the queue, when its turn has come
 * to the {@link LiveInstance}, and is answered there.
 */
export class GuestRunner<Scope> {
  readonly #options: GuestOptions;
  readonly #log: Logger;
  readonly #quota: GuestQuota;
  readonly #lines: LogLines;
  readonly #queue: EntryQueue<Scope>;
  readonly #generations: Generations<Scope>;
  #failedQuietly = 0;
  #stopped: Promise<void> | undefined;

  /** @throws ActrError `config` when the guest alone may have more memory than all guests together. */
  constructor(components: GuestRunnerComponents<Scope>, options: GuestOptions) {
    const { clock, log, quota } = components;
    quota.requireRoomFor(options);
    this.#options = options;
    this.#log = log;
    this.#quota = quota;
    this.#lines = new LogLines(clock, options);
    this.#queue = new EntryQueue(options.maxQueued, options.maxQueuedHooks);
    this.#generations = new Generations({ ...components, lines: this.#lines }, options, {
      onRoom: () => this.#pump(),
      onNone: (reason) => this.#queue.refuseAll(reason),
    });
  }

  /** Checks and compiles the code, and makes the first instance. @throws ActrError as {@link Generations.load}. */
  load(signal: AbortSignal): Promise<void> {
    return this.#generations.load(signal);
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
    const denied = this.#quota.entries.tryTake();
    if (denied !== undefined)
      return isHook(entry) ? Promise.resolve(undefined) : Promise.reject(denied);
    const { hookTimeoutMs, entryTimeoutMs } = this.#options;
    const longestMs = isHook(entry) ? hookTimeoutMs : entryTimeoutMs;
    const plan = { overlaps, timeoutMs: Math.min(timeoutMs, longestMs) };
    const asked = new LiveEntry(entry, context, scope, plan, this.#settled);
    if (entry.name === "on-start") this.#generations.startWith(context, scope);
    const live = nested ? this.#generations.serving : undefined;
    if (live?.admitsNested(asked) === true) live.runNested(asked);
    else this.#ask(asked, signal);
    return asked.ended;
  }

  /** What it does, and what has become of it so far. */
  status(): GuestStatus {
    return {
      ...this.#generations.status(),
      queued: this.#queue.size,
      failedQuietly: this.#failedQuietly,
      droppedHooks: this.#queue.droppedHooks,
      droppedLogLines: this.#lines.dropped,
    };
  }

  /** Refuses what waits, lets what runs finish, and gives everything up. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#generations.stop();
    this.#queue.refuseAll(isStopping());
    return this.#stopped;
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
    return this.#generations.refusal ?? this.#queue.add(asked);
  }

  /** Runs what may run now, or asks for an instance in which it may. */
  #pump(): void {
    for (;;) {
      const next = this.#queue.first;
      if (next === undefined) return;
      const live = this.#generations.serving;
      if (live === undefined) return this.#generations.next();
      if (!live.admits(next)) return;
      this.#queue.take(next);
      live.run(next);
    }
  }

  /** A hook that fails, or a chunk, is told to nobody else. */
  readonly #settled = ({ name, context, isHook }: LiveEntry<Scope>, error?: unknown): void => {
    this.#quota.entries.give();
    if (error === undefined || !(isHook || name === "on-data-chunk")) return;
    this.#failedQuietly += 1;
    const { requestId } = context;
    this.#log.warn("guest.entry_failed", { entry: name, request_id: requestId, error });
  };
}
