import type { ErrorSource } from "../actor.ts";
import type { ActorCaller } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import { Idle, type IdleOwner } from "./idle.ts";
import type { ActorWatch, Watched } from "./inspection/inspection_watch.ts";
import type { InstanceInit } from "./instance_owner.ts";
import { InstanceParts } from "./instance_parts.ts";
import {
  admitWork,
  after,
  type InstanceState,
  type LifecycleEvent,
  type StopReason,
} from "./lifecycle.ts";
import type { LocalCallOptions } from "./local_actors.ts";
import type { GateOwner } from "./output_gate.ts";
import { reportError } from "./report.ts";
import { commandStep, lifecycleDrained } from "./steps.ts";
import { asRefusal } from "./turns/action_turn.ts";
import type { ActionCommand } from "./turns/command.ts";
import type { WorkKind, WorkOwner } from "./turns/work.ts";

/** Saves in a row that fail before its code hears of it, and no work is let in any more. */
const manyFailures = 3;

/** One actor that is awake: its turns, its state, and the way of everything in and out of it. */
export class Instance extends InstanceParts implements GateOwner, IdleOwner, Watched, WorkOwner {
  /** Which of the actor's lives this is; lives that change nothing leave theirs to the next. */
  generation = 1;
  /** Who looks at it, if somebody does. */
  watch: ActorWatch | undefined;
  /** What it was asked for by its own code. */
  requested: StopReason | undefined;
  readonly #idle: Idle;
  #state: InstanceState = "loading";
  /** Why it was dropped. */
  #dropped: ActrError | undefined;

  constructor(init: InstanceInit) {
    super(init);
    this.#idle = new Idle(this.components.clock, this, this.kind.options.sleepAfterMs);
  }

  protected override instance(): this {
    return this;
  }

  /** Shows its changes to who looks at it, until somebody else does, or nobody. */
  observe(watch: ActorWatch | undefined): void {
    this.watch = watch;
    this.saving.observer = watch;
    watch?.follow(this);
    if (this.saving.isDue) watch?.stateChanged();
  }

  get isShown(): boolean {
    return this.#state === "started" || this.#state === "sleep_grace";
  }

  /** Serves: actions that waited, what goes on by itself while it is awake, what is due, and clients that stayed. */
  begin(): void {
    this.actions.turns.open();
    this.activity();
    this.beginParts();
  }

  /** Something has ended. */
  activity(): void {
    if (this.#state === "started") this.#idle.rest();
    else this.owner.activity(this);
  }

  workRefused(kind: WorkKind): void {
    this.log.warn("actor.work_refused", { kind, state: this.#state });
  }

  fallAsleep(): void {
    lifecycleDrained(this, "sleep_tick");
    this.owner.wants(this, "sleep");
  }

  /** Whether it takes what clients send now; else that waits for its next start. */
  get serves(): boolean {
    return this.#state === "started" && this.requested === undefined;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** Moves on. @throws TypeError where the tables of the lifecycle have no way. */
  move(event: LifecycleEvent): void {
    const next = after(this.#state, event);
    if (next === undefined) throw new TypeError(`${event} means nothing to a ${this.#state} actor`);
    // A logger for each actor is made where something is logged.
    if (this.components.log.enabled("info")) {
      this.log.info("actor.lifecycle", { old: this.#state, new: next });
    }
    this.#state = next;
    this.watch?.changed("lifecycle");
  }

  /** Calls other actors, for this one or one of its turns. */
  callerOf(options: LocalCallOptions): ActorCaller {
    return this.owner.callerOf(options);
  }

  /** Asks for its own stop: once its code has gone on, so that nothing is aborted under it. */
  request(reason: StopReason): void {
    this.requested = reason;
    this.components.clock.defer(() => this.owner.wants(this, reason));
  }

  /**
   * Runs an action, in its turn; refuses it where the lifecycle says so.
   * @param arrivedAt when it reached the node, of the clock's monotonic time: its deadline counts from then.
   */
  act(asked: ActionCommand, arrivedAt: number = this.components.clock.monotonic()): void {
    commandStep(this, "actor.dispatch_received", asked);
    const { refusal } = this;
    if (refusal !== undefined) return this.actions.refuse(asked, refusal);
    const command = asked.request === undefined ? asked : this.requests.admit(asked.request, asked);
    if (command === undefined) return;
    this.#idle.busy();
    this.actions.act(command, arrivedAt);
  }

  /** Ends at once: nothing is saved, and who waits is told why. */
  drop(error: ActrError): void {
    if (this.#state !== "terminated") this.move("failed");
    this.#dropped = error;
    this.gate.close(error);
    this.abort(() => error);
    this.close(error);
    void this.closeSql();
    this.cutConnections();
    this.owner.left(this);
  }

  /** It has stopped in order; what its code still does is not saved any more, and told why. */
  end(stopped: ActrError): void {
    this.move("finished");
    this.gate.close(stopped);
    this.owner.left(this);
    this.hibernateConnections();
  }

  failing(error: ActrError, failures: number): void {
    this.log.warn("actor.unsaved", { failures, error_code: error.code, error });
    if (failures === manyFailures) this.report(error, "save");
  }

  recovered(): void {
    this.log.info("actor.saved_again");
    this.activity();
  }

  lost(error: ActrError): void {
    this.owner.broken(this, error);
  }

  /** Drops all that is in memory: nothing more is written or let out. */
  fail(error: ActrError): void {
    this.gate.fail(error);
  }

  /** Whatever went wrong in it. */
  report(error: unknown, source: ErrorSource): void {
    reportError(this, error, source);
  }

  /** Why it stays awake; undefined when it may sleep (`spec/actor-host.md` §8.2, D24). */
  get awakeReason(): string | undefined {
    if (this.#state !== "started") return "not_started";
    if (this.kind.options.noSleep) return "no_sleep";
    if (this.actions.count > 0) return "action";
    if (this.gate.isFailing) return "unsaved";
    if (this.isVisited) return "connections";
    return this.work.keepsAwake;
  }

  /** Answers with `error` whoever still waits, and ends its own timers. */
  close(error: ActrError): void {
    this.#idle.close();
    this.closeParts(error);
  }

  /** What callers are told of one that was dropped. */
  get dropped(): ActrError | undefined {
    return this.#dropped && asRefusal(this.#dropped);
  }

  /** Why no work is let in, if so. */
  get refusal(): ActrError | undefined {
    if (this.dropped !== undefined) return this.dropped;
    const admission = admitWork(this.#state, this.requested === "destroy");
    if (admission === "accept" || admission === "wait") {
      return this.gate.failures < manyFailures ? undefined : unsaved(this.id);
    }
    return new ActrError(admission, `actor ${this.kind.name} ${this.id} is ${this.#state}`);
  }
}

/** What came before it is not on disk yet. */
function unsaved(id: string): ActrError {
  const message = `changes of actor ${id} cannot be written at the moment; send again later`;
  return new ActrError("actor.overloaded", message, { retryAfterMs: 1000 });
}
