import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { deleteRest, ending } from "./contents.ts";
import type { Instance } from "./instance.ts";
import type { StopReason } from "./lifecycle.ts";
import { callback } from "./turns/callback.ts";

/** Least time that the last save has, milliseconds; a longer grace is its time too. */
const leastSaveMs = 15_000;

/** A stop that waits for longer says what for, milliseconds. */
const slowDrainMs = 1000;

/** The end of one instance: shared by all who ask for it, and escalated from sleep to the end of the actor (D15, D16). */
export class Stopping {
  readonly #instance: Instance;
  readonly #clock: Clock;
  #reason: StopReason;
  #deadline = Number.POSITIVE_INFINITY;
  /** Ends the wait that goes on. */
  #timer: Timer | undefined;
  /** Tells, once, that it takes long. */
  #slow: Timer | undefined;
  /** Looks again whether there is something left to wait for. */
  #look: () => void = () => {};
  /** Hooks that go on. */
  #hooks = 0;
  /** Whether `onDestroy` has run. */
  #destroyed = false;
  #failure: ActrError | undefined;
  readonly #cut: (error: ActrError) => void;
  /** Rejects with why it could not end in order; it has ended then too. */
  readonly ended: Promise<void>;

  constructor(instance: Instance, reason: StopReason) {
    this.#instance = instance;
    this.#clock = instance.components.clock;
    this.#reason = reason;
    let cut: (error: ActrError) => void = () => {};
    const dropped = new Promise<never>((_, reject) => {
      cut = reject;
    });
    this.#cut = cut;
    this.ended = Promise.race([this.#run(), dropped]);
  }

  get reason(): StopReason {
    return this.#reason;
  }

  /** What went wrong in its hooks, though it came to its end. */
  get failure(): ActrError | undefined {
    return this.#failure;
  }

  /** Whether it waits for more than turns: until that has ended, turns are let in. */
  get waitsForWork(): boolean {
    return this.#instance.state === "sleep_grace" && this.#hooks + this.#instance.work.total > 0;
  }

  /** Makes of a sleep the end of the actor. */
  escalate(): void {
    this.#reason = "destroy";
    this.#instance.move("stop_destroy");
    this.#instance.endConnections(this.#reason);
    this.#look();
  }

  /** Something has ended. */
  activity(): void {
    this.#look();
  }

  /** The instance was dropped: there is nothing left to end. */
  cut(error: ActrError): void {
    this.#timer?.cancel();
    this.#slow?.cancel();
    this.#cut(error);
  }

  async #run(): Promise<void> {
    const instance = this.#instance;
    instance.move(this.#reason === "sleep" ? "stop_sleep" : "stop_destroy");
    this.#deadline = this.#clock.now() + instance.kind.options.sleepGraceMs;
    const reason = this.#reason;
    instance.abort(() => new ActrError("actor.aborted", `the actor stops: ${reason}`));
    this.#instance.endConnections(this.#reason);
    await this.#hook(this.#reason === "sleep" ? "onSleep" : "onDestroy");
    await this.#drained();
    // Whoever was asked to end only while it slept is asked now.
    if (this.#reason === "destroy" && !this.#destroyed) {
      await this.#hook("onDestroy");
      await this.#drained();
    }
    await this.#finish();
  }

  async #hook(name: "onSleep" | "onDestroy"): Promise<void> {
    const { kind, context, saving } = this.#instance;
    this.#destroyed ||= name === "onDestroy";
    const hook = kind.definition[name];
    if (hook !== undefined) await this.#within(name, () => hook(context));
    saving.save();
  }

  async #within(name: string, run: () => void | Promise<void>): Promise<void> {
    const { kind, components } = this.#instance;
    const left = Math.max(1, this.#deadline - this.#clock.now());
    const ms = Math.min(kind.options.hookTimeoutMs, left);
    this.#hooks += 1;
    try {
      await callback(components.clock, { name, ms, signal: new AbortController().signal }, run);
    } catch (error) {
      this.#instance.report(error, "hook");
      this.#failure ??= hookFailed(this.#instance, name, error);
    }
    this.#hooks -= 1;
  }

  /** Resolves when nothing is left to wait for, or the grace is over. */
  async #drained(): Promise<void> {
    const instance = this.#instance;
    if (this.#isDrained) return;
    this.#slow ??= this.#clock.timer(this.#clock.now() + slowDrainMs, () => {
      instance.log.warn("actor.drain_slow", { reason: this.#reason, ...this.#workLeft });
    });
    await new Promise<void>((resolve) => {
      this.#timer = this.#clock.timer(this.#deadline, () => {
        instance.log.warn("actor.grace_deadline", { reason: this.#reason, ...this.#workLeft });
        resolve();
      });
      this.#look = () => {
        if (!this.#isDrained) return;
        this.#timer?.cancel();
        resolve();
      };
    });
    this.#look = () => {};
  }

  /** Whether there is nothing to wait for. */
  get #isDrained(): boolean {
    const { actions, work } = this.#instance;
    if (actions.count > 0) return false;
    const run = this.#reason === "destroy" ? work.count("run") : 0;
    return work.total === run;
  }

  /** What it still waits for, for its log line. */
  get #workLeft(): Record<string, number> {
    const { actions, work } = this.#instance;
    const { running, waiting } = actions.turns;
    return { running, waiting, ...work.all() };
  }

  /** Saves what there is before anything is dropped (D2), within a time of its own (D19). */
  async #finish(): Promise<void> {
    const instance = this.#instance;
    const { gate, components } = instance;
    // It was dropped meanwhile.
    if (instance.state === "terminated") return;
    this.#slow?.cancel();
    instance.move("drained");
    instance.queues.settle(this.#reason);
    instance.workflow?.settle(this.#reason);
    if (this.#reason === "destroy") this.#delete();
    instance.saving.save();
    const stopped = new ActrError("actor.stopping", "the actor has stopped; try again");
    instance.close(stopped);
    const ms = Math.max(leastSaveMs, instance.kind.options.sleepGraceMs);
    this.#timer = this.#clock.timer(this.#clock.now() + ms, () => {
      instance.fail(
        new ActrError("actor.shutdown_timeout", `the last save took longer than ${ms} ms`),
      );
    });
    await gate.flushed();
    await instance.closeSql();
    if (this.#reason === "destroy") {
      await deleteRest(components, instance.id);
      components.completions.end((id) => id === instance.id, "the actor has ended");
    }
    this.#timer.cancel();
    instance.end(stopped);
  }

  /** Its schedules end in the commit that ends it: an actor that cannot be deleted goes on with them. */
  #delete(): void {
    const { id, record, saving, schedules } = this.#instance;
    for (const schedule of schedules.list()) schedules.cancel(schedule.id);
    saving.add(...ending(id, record));
  }
}

function hookFailed({ id, kind }: Instance, name: string, cause: unknown): ActrError {
  const { message } = ActrError.from(cause);
  return new ActrError(
    "internal",
    `actor ${kind.name} ${id} has stopped, but ${name} failed: ${message}`,
    {
      cause,
      details: { callback_name: name },
    },
  );
}
