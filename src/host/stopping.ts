import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { callback } from "./callback.ts";
import { deleteContents } from "./contents.ts";
import type { Instance } from "./instance.ts";
import { admitStop, type StopReason } from "./lifecycle.ts";

/** The end of one instance: shared by all who ask for it, and escalated from sleep to the end of the actor (D15, D16). */
export class Stopping {
  readonly #instance: Instance;
  readonly #clock: Clock;
  #reason: StopReason;
  #deadline = Number.POSITIVE_INFINITY;
  /** Looks again whether there is something left to wait for. */
  #look: () => void = () => {};
  readonly ended: Promise<void>;

  constructor(instance: Instance, reason: StopReason) {
    this.#instance = instance;
    this.#clock = instance.components.clock;
    this.#reason = reason;
    this.ended = this.#run();
  }

  get reason(): StopReason {
    return this.#reason;
  }

  /** Makes of a sleep the end of the actor, as long as nothing of it is final. */
  escalate(): boolean {
    if (admitStop(this.#instance.state, "destroy") !== "escalate") return false;
    this.#reason = "destroy";
    this.#instance.move("stop_destroy");
    this.#look();
    return true;
  }

  /** Something has ended. */
  activity(): void {
    this.#look();
  }

  async #run(): Promise<void> {
    const instance = this.#instance;
    const { sleepGraceMs } = instance.kind.options;
    instance.move(this.#reason === "sleep" ? "stop_sleep" : "stop_destroy");
    this.#deadline = this.#clock.now() + sleepGraceMs;
    instance.stopping.abort(new ActrError("actor.aborted", `the actor stops: ${this.#reason}`));
    await this.#disconnect();
    if (this.#reason === "sleep") await this.#hook("onSleep");
    if (this.#reason === "destroy") await this.#hook("onDestroy");
    await this.#drained();
    // Whoever was asked to end only while it slept is asked now.
    if (instance.state === "destroy_grace" && !this.#destroyed) await this.#hook("onDestroy");
    await this.#finish();
  }

  /** Whether `onDestroy` has run. */
  #destroyed = false;

  async #hook(name: "onSleep" | "onDestroy"): Promise<void> {
    const { kind, context, components, saving } = this.#instance;
    this.#destroyed ||= name === "onDestroy";
    const left = Math.max(1, this.#deadline - this.#clock.now());
    const ms = Math.min(kind.options.hookTimeoutMs, left);
    try {
      const limit = { name, ms, signal: new AbortController().signal };
      await callback(components.clock, limit, () => kind.definition[name]?.(context));
    } catch (error) {
      this.#instance.report(error, "hook");
    }
    saving.save();
  }

  async #disconnect(): Promise<void> {
    const { connections } = this.#instance;
    const cut = connections.closable(this.#reason);
    await Promise.all(cut.map((conn) => connections.disconnect(conn, `actor.${this.#reason}`)));
  }

  /** Resolves when nothing is left to wait for, or the grace is over. */
  async #drained(): Promise<void> {
    const instance = this.#instance;
    if (instance.isDrained(this.#reason)) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.timer(this.#deadline, () => {
        instance.log.warn("actor.grace_deadline", { reason: this.#reason, ...instance.workLeft() });
        resolve();
      });
      this.#look = () => {
        if (!instance.isDrained(this.#reason)) return;
        timer.cancel();
        resolve();
      };
    });
    this.#look = () => {};
  }

  /** Saves what there is before anything is dropped (D2). */
  async #finish(): Promise<void> {
    const instance = this.#instance;
    const { gate, saving, record, components } = instance;
    instance.move("drained");
    instance.refuseWaiting(new ActrError("actor.stopping", "the actor has stopped; try again"));
    saving.save();
    instance.close();
    await gate.flushed();
    if (this.#reason === "destroy") {
      for (const schedule of instance.schedules.list()) instance.schedules.cancel(schedule.id);
      saving.save();
      await deleteContents(components.store, instance.id, record);
    }
    instance.move("finished");
  }
}
