import type {
  ActionContext,
  ActorContext,
  ActorKey,
  ActorQueues,
  Connection,
  KeyValues,
  SaveOptions,
  ScheduleFire,
  Schedules,
} from "../actor.ts";
import { type ActorsOf, actorsOf, type WithActors } from "../actor_client.ts";
import type { NodeContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActionTurn } from "./action_turn.ts";
import type { ReceiveScope } from "./actor_messages.ts";
import { ScopedQueues } from "./actor_queues.ts";
import type { Instance } from "./instance.ts";
import type { Turn } from "./turns.ts";

/** What an actor's hooks and `run` are given: a view of its instance. */
export class InstanceContext implements ActorContext {
  protected readonly instance: Instance;
  #queues: ScopedQueues | undefined;

  constructor(instance: Instance) {
    this.instance = instance;
  }

  /** Turns that wait for whatever is called here. */
  protected get chain(): readonly Turn[] {
    return [];
  }

  /** What ends the waits of this part of the actor's code. */
  protected get scope(): ReceiveScope {
    return this;
  }

  get actorId(): string {
    return this.instance.id;
  }

  get name(): string {
    return this.instance.kind.name;
  }

  get key(): ActorKey {
    return this.instance.key;
  }

  get state(): unknown {
    return this.instance.saving.state;
  }

  set state(value: unknown) {
    this.instance.saving.state = value;
  }

  get vars(): unknown {
    return this.instance.vars;
  }

  get kv(): KeyValues {
    return this.instance.values;
  }

  get schedule(): Schedules {
    return this.instance.schedules;
  }

  get queue(): ActorQueues {
    this.#queues ??= new ScopedQueues(this.instance, this.scope);
    return this.#queues;
  }

  get conns(): ReadonlyMap<string, Connection> {
    return this.instance.connections.all;
  }

  get log(): Logger {
    return this.instance.log;
  }

  get signal(): AbortSignal {
    return this.instance.stopping.signal;
  }

  get node(): NodeContext {
    return this.instance.components.node();
  }

  broadcast(name: string, payload: unknown): void {
    this.instance.connections.broadcast(name, payload);
  }

  async saveState({ immediate = true, maxWaitMs }: SaveOptions = {}): Promise<void> {
    const { saving, gate } = this.instance;
    if (!saving.isOpen) throw this.#notOpen();
    if (immediate) saving.save();
    else if (maxWaitMs !== undefined) saving.saveWithin(maxWaitMs);
    if (saving.isDue)
      return new Promise((resolve, reject) => saving.put({ emit: resolve, drop: reject }));
    await gate.flushed();
  }

  keepAwake<T>(work: Promise<T>): Promise<T> {
    this.instance.work.track("keep_awake", work);
    return work;
  }

  waitUntil(work: Promise<unknown>): void {
    this.instance.work.track("wait_until", work);
    work.catch((error: unknown) => this.instance.report(error, "task"));
  }

  client<App extends WithActors>(): ActorsOf<App> {
    return actorsOf<App>(this.instance.callerOf(this.chain));
  }

  sleep(): void {
    const { state, requested } = this.instance;
    if (state !== "started" && state !== "sleep_grace") throw this.#notOpen();
    if (state === "started" && requested === undefined) this.instance.request("sleep");
  }

  destroy(): void {
    const { state, requested } = this.instance;
    if (requested === "destroy" || (state !== "started" && state !== "sleep_grace")) {
      throw this.#notOpen();
    }
    this.instance.request("destroy");
  }

  /** What it was asked for can be had only while it is awake. */
  #notOpen(): ActrError {
    const { state } = this.instance;
    if (state !== "loading" && state !== "starting") {
      return new ActrError("actor.stopping", `actor ${this.actorId} is stopping already`);
    }
    const message = `actor ${this.actorId} has not started yet; what its hooks change is saved when it has`;
    return new ActrError("actor.starting", message);
  }
}

/** What one action is given. */
export class TurnContext extends InstanceContext implements ActionContext {
  readonly #turn: ActionTurn;

  constructor(instance: Instance, turn: ActionTurn) {
    super(instance);
    this.#turn = turn;
  }

  protected override get chain(): readonly Turn[] {
    return [...(this.#turn.command.chain ?? []), this.#turn];
  }

  get conn(): Connection | undefined {
    return this.#turn.command.conn;
  }

  get fire(): ScheduleFire | undefined {
    return this.#turn.command.fire;
  }

  override get signal(): AbortSignal {
    return this.#turn.signalWith(super.signal);
  }
}
