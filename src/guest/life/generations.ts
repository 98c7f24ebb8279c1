import type { ActrError } from "../../errors.ts";
import { isRefusing, isStopping, isUnloaded, toWaitingError } from "./answers.ts";
import { FaultLog } from "./fault_log.ts";
import { Instances, type InstancesComponents } from "./instances.ts";
import { type EntryContext, LiveEntry } from "./live_entry.ts";
import type { LiveInstance } from "./live_instance.ts";
import type { GuestOptions } from "./options.ts";
import { Rebuilds } from "./rebuilds.ts";
import type { GuestStatus } from "./status.ts";

/** What {@link Generations} are made of. */
export interface GenerationsComponents<Scope> extends InstancesComponents<Scope> {
  /** There is a new instance after a fault, which knows nothing: streams of the old one are to be unregistered. */
  onRebuilt(): void;
}

/** What {@link Generations} tell. */
export interface GenerationsEvents {
  /** There is an instance with room, or one may be asked for. */
  onRoom(): void;
  /** There is none, for this reason. */
  onNone(reason: ActrError): void;
}

/** The part of a guest's status that is about its instances. */
export type GenerationsStatus = Pick<
  GuestStatus,
  "state" | "retryAfterMs" | "running" | "memoryBytes" | "rebuilds" | "faults"
>;

/**
 * One instance of a guest after another: the first by loading, every further one when it is asked for after the last
 * was ended by a fault (`spec/guest.md` §14).
 */
export class Generations<Scope> {
  readonly #components: GenerationsComponents<Scope>;
  readonly #options: GuestOptions;
  readonly #events: GenerationsEvents;
  readonly #instances: Instances<Scope>;
  readonly #rebuilds: Rebuilds;
  readonly #faults: FaultLog<Scope>;
  readonly #ending = new AbortController();
  #state: "unloaded" | "serving" | "building" | "stopped" = "unloaded";
  #live: LiveInstance<Scope> | undefined;
  /** The last `on-start`, which every new instance is given again. */
  #started: { readonly context: EntryContext; readonly scope: Scope } | undefined;
  #building: Promise<void> = Promise.resolve();

  constructor(
    components: GenerationsComponents<Scope>,
    options: GuestOptions,
    events: GenerationsEvents,
  ) {
    const { maxRebuildsPerMinute, rebuildPauseMs } = options;
    this.#components = components;
    this.#options = options;
    this.#events = events;
    this.#instances = new Instances(components, options);
    this.#rebuilds = new Rebuilds(components.clock, maxRebuildsPerMinute, rebuildPauseMs);
    this.#faults = new FaultLog(components.log);
  }

  /** The instance that entries may run in. */
  get serving(): LiveInstance<Scope> | undefined {
    return this.#state === "serving" ? this.#live : undefined;
  }

  /** Why nothing may wait for an instance, if so: `unavailable` before the first, `stopping` after the last. */
  get refusal(): ActrError | undefined {
    if (this.#state === "stopped") return isStopping();
    return this.#state === "unloaded" ? isUnloaded() : undefined;
  }

  status(): GenerationsStatus {
    const common = {
      running: this.#live?.running ?? 0,
      memoryBytes: this.#live?.memoryBytes ?? 0,
      rebuilds: this.#rebuilds.total,
      faults: this.#faults.counts,
    };
    if (this.#state !== "serving") return { ...common, state: this.#state };
    if (this.#live !== undefined) return { ...common, state: "running" };
    const retryAfterMs = this.#rebuilds.refusedForMs();
    if (retryAfterMs === undefined) return { ...common, state: "down" };
    return { ...common, state: "refusing", retryAfterMs };
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
      this.#drop();
      await this.#instances.dispose();
      throw error;
    }
  }

  /** Has every further instance begin with this `on-start`: what the guest does when it begins, it does in each (`spec/guest.md` §21 GD-11). */
  startWith(context: EntryContext, scope: Scope): void {
    this.#started = { context: { ...context, requestId: "hook:on_start:rebuild" }, scope };
  }

  /** Makes the next instance, where none is being made. */
  next(): void {
    if (this.#state !== "serving") return;
    const refusedForMs = this.#rebuilds.refusedForMs();
    if (refusedForMs !== undefined) return this.#events.onNone(isRefusing(refusedForMs));
    this.#state = "building";
    this.#building = this.#build().then(
      () => this.#built(),
      (error: unknown) => this.#notBuilt(error),
    );
  }

  /** Lets what runs finish, and gives everything up. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#ending.abort(isStopping());
    await this.#building;
    await this.#live?.idle();
    this.#drop();
    await this.#instances.dispose();
  }

  async #build(): Promise<void> {
    const { signal } = this.#ending;
    const { pauseMs } = this.#rebuilds;
    if (pauseMs > 0) await this.#components.clock.sleep(pauseMs, { signal });
    this.#live = await this.#make(signal);
    this.#components.onRebuilt();
    await this.#startAgain(this.#live);
  }

  #built(): void {
    this.#rebuilds.count();
    this.#resume();
  }

  /** That all guests together have too much is no fault of this one. */
  #notBuilt(error: unknown): void {
    this.#drop();
    const reason = toWaitingError(error);
    if (reason.code !== "overloaded") this.#rebuilds.count();
    if (this.#state !== "stopped") this.#components.log.error("guest.not_rebuilt", { error });
    this.#events.onNone(reason);
    this.#resume();
  }

  #resume(): void {
    if (this.#state !== "building") return;
    this.#state = "serving";
    this.#events.onRoom();
  }

  async #startAgain(live: LiveInstance<Scope>): Promise<void> {
    if (this.#started === undefined) return;
    const { context, scope } = this.#started;
    const plan = { overlaps: false, timeoutMs: this.#options.entryTimeoutMs };
    const entry = new LiveEntry({ name: "on-start" }, context, scope, plan, () => {});
    live.run(entry);
    await entry.ended;
  }

  #make(signal: AbortSignal): Promise<LiveInstance<Scope>> {
    const onFault = (entry: LiveEntry<Scope>, error: unknown): void => {
      this.#live = undefined;
      this.#faults.note(entry, error);
    };
    return this.#instances.make({ onFault, onEnded: () => this.#events.onRoom() }, signal);
  }

  #drop(): void {
    this.#live?.discard();
    this.#live = undefined;
  }
}
