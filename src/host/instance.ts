import type { ActorKey, ErrorSource } from "../actor.ts";
import type { ActorCaller } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { QueueResult, QueueSend } from "../protocol/actors/messages.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import { asRefusal } from "./action_turn.ts";
import { Actions } from "./actions.ts";
import { InstanceContext } from "./actor_context.ts";
import { ActorMessages } from "./actor_messages.ts";
import { ActorSchedules } from "./actor_schedules.ts";
import { ActorSql } from "./actor_sql.ts";
import { admitSend, sendForClient } from "./awaited_send.ts";
import type { ActionCommand } from "./command.ts";
import { Connections } from "./connections.ts";
import { type ActorRecord, actorSpace } from "./contents.ts";
import type { ActorKind, HostComponents } from "./host_components.ts";
import { Idle, type IdleOwner } from "./idle.ts";
import type { ActorWatch, Watched } from "./inspection_watch.ts";
import { ActorValues } from "./key_values.ts";
import {
  admitWork,
  after,
  type InstanceState,
  type LifecycleEvent,
  type StopReason,
} from "./lifecycle.ts";
import type { LocalCallOptions } from "./local_actors.ts";
import { type GateOwner, OutputGate } from "./output_gate.ts";
import { Requests } from "./requests.ts";
import { RunLoop } from "./run_loop.ts";
import { Saving } from "./saving.ts";
import { StateChanges } from "./state_changes.ts";
import { commandStep, lifecycleDrained } from "./steps.ts";
import { Work, type WorkKind, type WorkOwner } from "./work.ts";
import { WorkflowRun } from "./workflow/workflow_run.ts";

/** What an instance tells the host. */
export interface InstanceOwner {
  /** It wants to stop: idle, or asked to by its own code. */
  wants(instance: Instance, reason: StopReason): void;
  /** What is in memory cannot be trusted any more, and is to be dropped. */
  broken(instance: Instance, error: ActrError): void;
  /** It is not in memory any more. */
  left(instance: Instance): void;
  /** Something has ended that a stop may have waited for. */
  activity(instance: Instance): void;
  /** Calls actors, for those that wait for them. */
  callerOf(options: LocalCallOptions): ActorCaller;
  /** A schedule is due then, Unix milliseconds. */
  readonly expect: (atMs: number) => void;
}

/** What makes an instance. */
export interface InstanceParts {
  readonly id: string;
  readonly record: ActorRecord;
  readonly kind: ActorKind;
  readonly components: HostComponents;
  readonly owner: InstanceOwner;
}

/** Saves in a row that fail before its code hears of it, and no work is let in any more. */
const manyFailures = 3;

/** One actor that is awake: its turns, its state, and the way of everything in and out of it. */
export class Instance implements GateOwner, IdleOwner, Watched, WorkOwner {
  readonly id: string;
  readonly record: ActorRecord;
  readonly kind: ActorKind;
  readonly components: HostComponents;
  readonly saving: Saving;
  readonly work: Work;
  readonly gate: OutputGate;
  readonly actions: Actions;
  vars: unknown;
  /** Which of the actor's lives this is; lives that change nothing leave theirs to the next. */
  generation = 1;
  /** Who looks at it, if somebody does. */
  watch: ActorWatch | undefined;
  /** What it was asked for by its own code. */
  requested: StopReason | undefined;
  readonly #owner: InstanceOwner;
  readonly #idle: Idle;
  // What many actors never need is made when it is asked for.
  #log: Logger | undefined;
  #context: InstanceContext | undefined;
  #values: ActorValues | undefined;
  #sql: ActorSql | undefined;
  #schedules: ActorSchedules | undefined;
  #queues: ActorMessages | undefined;
  #requests: Requests | undefined;
  #connections: Connections | undefined;
  #runLoop: RunLoop | undefined;
  #workflow: WorkflowRun | undefined;
  #stopping: AbortController | undefined;
  #state: InstanceState = "loading";
  /** Why it was dropped. */
  #dropped: ActrError | undefined;

  constructor({ id, record, kind, components, owner }: InstanceParts) {
    this.id = id;
    this.record = record;
    this.kind = kind;
    this.components = components;
    this.#owner = owner;
    const { clock } = components;
    const { definition, options } = kind;
    this.gate = new OutputGate(components, this);
    this.actions = new Actions(this);
    this.saving = new Saving(
      {
        clock,
        gate: this.gate,
        space: actorSpace(id),
        turns: this.actions.turns,
        actor: this,
        watcher: definition.onStateChange && new StateChanges(this),
      },
      { intervalMs: options.saveIntervalMs },
    );
    this.work = new Work(this);
    this.#idle = new Idle(clock, this, options.sleepAfterMs);
  }

  get log(): Logger {
    this.#log ??= this.components.log.with({ actor: this.kind.name, actor_id: this.id });
    return this.#log;
  }

  /** What its hooks and `run` are given. */
  get context(): InstanceContext {
    this.#context ??= new InstanceContext(this);
    return this.#context;
  }

  /** Its own keys and values. */
  get values(): ActorValues {
    this.#values ??= new ActorValues(this.components.store, this.id, this.saving);
    return this.#values;
  }

  /** Its own database. @throws ActrError `sqlite.not_configured`. */
  get sql(): ActorSql {
    if (this.#sql !== undefined) return this.#sql;
    const { components, id, kind } = this;
    const { sql: pool, clock } = components;
    const { sql: definition } = kind.definition;
    if (definition === undefined || pool === undefined) throw noSql(kind, definition);
    this.#sql = new ActorSql({ id, pool, definition, clock });
    return this.#sql;
  }

  get schedules(): ActorSchedules {
    this.#schedules ??= new ActorSchedules(this, this.#owner.expect);
    return this.#schedules;
  }

  get queues(): ActorMessages {
    this.#queues ??= new ActorMessages(this, this.#owner.expect);
    return this.#queues;
  }

  /** Requests of other nodes. */
  get requests(): Requests {
    this.#requests ??= new Requests(this);
    return this.#requests;
  }

  get connections(): Connections {
    this.#connections ??= new Connections(this);
    return this.#connections;
  }

  /** What goes on by itself in it, if that is a workflow. */
  get workflow(): WorkflowRun | undefined {
    const { run } = this.kind.definition;
    if (typeof run !== "object") return undefined;
    this.#workflow ??= new WorkflowRun(this, run, this.#owner.expect);
    return this.#workflow;
  }

  /** Aborted when it begins to stop. */
  get stopping(): AbortController {
    this.#stopping ??= new AbortController();
    return this.#stopping;
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

  encodedState(): Uint8Array<ArrayBuffer> {
    return encodeCbor(this.saving.rawState);
  }

  /** Serves: actions that waited, what goes on by itself while it is awake, what is due, and clients that stayed. */
  begin(): void {
    this.actions.turns.open();
    this.activity();
    this.workflow?.start();
    if (typeof this.kind.definition.run === "function") {
      this.#runLoop = new RunLoop(this);
      this.#runLoop.start();
    }
    this.#schedules?.fire();
    this.#connections?.begin();
  }

  /** Something has ended. */
  activity(): void {
    if (this.#state === "started") this.#idle.rest();
    else this.#owner.activity(this);
  }

  workRefused(kind: WorkKind): void {
    this.log.warn("actor.work_refused", { kind, state: this.#state });
  }

  fallAsleep(): void {
    lifecycleDrained(this, "sleep_tick");
    this.#owner.wants(this, "sleep");
  }

  /** Whether it takes what clients send now; else that waits for its next start. */
  get serves(): boolean {
    return this.#state === "started" && this.requested === undefined;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get key(): ActorKey {
    return this.record.key;
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
    return this.#owner.callerOf(options);
  }

  /** Asks for its own stop: once its code has gone on, so that nothing is aborted under it. */
  request(reason: StopReason): void {
    this.requested = reason;
    this.components.clock.defer(() => this.#owner.wants(this, reason));
  }

  /**
   * Runs an action, in its turn; refuses it where the lifecycle says so.
   * @param arrivedAt when it reached the node, of the clock's monotonic time: its deadline counts from then.
   */
  act(asked: ActionCommand, arrivedAt: number = this.components.clock.monotonic()): void {
    commandStep(this, "dispatch_received", asked);
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.actions.refuse(asked, refusal);
    const command = asked.request === undefined ? asked : this.requests.admit(asked.request, asked);
    if (command === undefined) return;
    this.#idle.busy();
    this.actions.act(command, arrivedAt);
  }

  /**
   * Puts a message into a queue for a client; resolves when it is on disk, or completed, if the client waits for that.
   * @throws ActrError `queue.*`, `auth.forbidden`, `actor.restarting` when it could not be written, as {@link Instance.act}.
   */
  async send(name: string, message: QueueSend): Promise<QueueResult> {
    this.#requireOpen();
    const admitting = admitSend(this, name, message.body);
    this.work.track("http", admitting);
    const admitted = await admitting;
    // It may have stopped meanwhile.
    this.#requireOpen();
    return await sendForClient(this, admitted, message).catch((error: unknown) => {
      throw asRefusal(ActrError.from(error));
    });
  }

  /** Ends at once: nothing is saved, and who waits is told why. */
  drop(error: ActrError): void {
    if (this.#state !== "terminated") this.move("failed");
    this.#dropped = error;
    this.gate.close(error);
    this.stopping.abort(error);
    this.close(error);
    void this.closeSql();
    this.#connections?.cut();
    this.#owner.left(this);
  }

  /** It has stopped in order; what its code still does is not saved any more. */
  end(): void {
    this.move("finished");
    this.gate.close(new ActrError("actor.stopping", `actor ${this.id} has stopped`));
    this.#owner.left(this);
    this.#connections?.hibernate();
  }

  /** Cuts off the clients that do not stay. */
  endConnections(reason: StopReason): void {
    this.#connections?.endFor(reason);
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
    this.#owner.broken(this, error);
  }

  /** Drops all that is in memory: nothing more is written or let out. */
  fail(error: ActrError): void {
    this.gate.fail(error);
  }

  /** Whatever went wrong in it. */
  report(error: unknown, source: ErrorSource): void {
    const failure = ActrError.from(error);
    this.log.error("actor.error", { source, error_code: failure.code, error: failure });
    const { onError } = this.kind.definition;
    if (onError === undefined) return;
    try {
      onError(this.context, failure, source);
    } catch (cause) {
      this.log.error("actor.on_error_failed", { error: cause });
    }
  }

  /** Why it stays awake; undefined when it may sleep (`spec/actor-host.md` §8.2, D24). */
  get awakeReason(): string | undefined {
    if (this.#state !== "started") return "not_started";
    if (this.kind.options.noSleep) return "no_sleep";
    if (this.actions.count > 0) return "action";
    if (this.gate.isFailing) return "unsaved";
    if (this.#connections?.keepsAwake === true) return "connections";
    return this.work.keepsAwake;
  }

  /** Whether a stop has nothing to wait for. */
  isDrained(reason: StopReason): boolean {
    if (this.actions.count > 0) return false;
    const run = reason === "destroy" ? this.work.count("run") : 0;
    return this.work.total === run;
  }

  /** What a stop still waits for, for its log line. */
  workLeft(): Record<string, number> {
    const { running, waiting } = this.actions.turns;
    return { running, waiting, ...this.work.all() };
  }

  /** Answers with `error` whoever still waits, and ends its own timers. */
  close(error: ActrError): void {
    this.actions.turns.close(error);
    this.#idle.close();
    this.work.close(error);
    this.saving.close();
    this.#queues?.close();
    this.#runLoop?.close();
    this.#workflow?.close();
  }

  /** Closes its database; a transaction that goes on is rolled back. */
  async closeSql(): Promise<void> {
    await this.#sql?.close();
  }

  /** What callers are told of one that was dropped. */
  get dropped(): ActrError | undefined {
    return this.#dropped && asRefusal(this.#dropped);
  }

  /** Why no work is let in, if so. */
  #refusal(): ActrError | undefined {
    if (this.dropped !== undefined) return this.dropped;
    const admission = admitWork(this.#state, this.requested === "destroy");
    if (admission === "accept" || admission === "wait") {
      return this.gate.failures < manyFailures ? undefined : unsaved(this.id);
    }
    return new ActrError(admission, `actor ${this.kind.name} ${this.id} is ${this.#state}`);
  }

  #requireOpen(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }
}

function noSql({ name }: ActorKind, definition: unknown): ActrError {
  const mend =
    definition === undefined
      ? `give actor ${name} \`sql: {}\``
      : "serve with a store of which the databases have a place, or with `databases`";
  return new ActrError("sqlite.not_configured", `there is no database: ${mend}`);
}

/** What came before it is not on disk yet. */
function unsaved(id: string): ActrError {
  const message = `changes of actor ${id} cannot be written at the moment; send again later`;
  return new ActrError("actor.overloaded", message, { retryAfterMs: 1000 });
}
