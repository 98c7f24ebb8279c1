import type {
  ActionContext,
  ActorContext,
  ActorKey,
  ActorQueues,
  BackgroundWork,
  Connection,
  KeyValues,
  SaveOptions,
  ScheduleFire,
  Schedules,
  Sql,
} from "../actor.ts";
import { type ActorCaller, type ActorsOf, actorsOf, type WithActors } from "../actor_client.ts";
import type { ActorCallOptions, NodeContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { Instance } from "./instance.ts";
import type { ReceiveScope } from "./queues/actor_messages.ts";
import { ScopedQueues } from "./queues/actor_queues.ts";
import type { ActionTurn } from "./turns/action_turn.ts";
import { TurnNode } from "./turns/turn_node.ts";
import type { WorkKind } from "./turns/work.ts";

/** What an actor's hooks and `run` are given: a view of its instance. */
export class InstanceContext implements ActorContext {
  protected readonly instance: Instance;
  #queues: ScopedQueues | undefined;

  constructor(instance: Instance) {
    this.instance = instance;
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

  get sql(): Sql {
    return this.instance.sql;
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
    return this.instance.stopping;
  }

  get node(): NodeContext {
    return this.instance.components.node();
  }

  broadcast(name: string, payload: unknown): void {
    this.instance.connections.events.broadcast(name, payload);
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

  keepAwake<T>(work: BackgroundWork<T>): Promise<T> {
    return this.#track("keep_awake", work);
  }

  waitUntil(work: BackgroundWork<unknown>): void {
    const ended = this.#track("wait_until", work);
    ended.catch((error: unknown) => this.instance.report(error, "task"));
  }

  client<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    if (target !== undefined) return this.node.actors<App>(target, options);
    return actorsOf<App>(this.instance.callerOf({}));
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

  #track<T>(kind: WorkKind, work: BackgroundWork<T>): Promise<T> {
    if (typeof work === "function") return this.instance.work.run(kind, work);
    this.instance.work.track(kind, work);
    return work;
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
  #node: TurnNode | undefined;

  constructor(instance: Instance, turn: ActionTurn) {
    super(instance);
    this.#turn = turn;
  }

  override get node(): NodeContext {
    const { components } = this.instance;
    this.#node ??= new TurnNode({
      node: components.node(),
      finder: components.finder,
      local: () => this.#local,
      chain: () => this.#turn.chain(components.random),
      trace: this.#turn.command.trace,
    });
    return this.#node;
  }

  get #local(): ActorCaller {
    const { trace } = this.#turn.command;
    const chain = this.#turn.chain(this.instance.components.random);
    return this.instance.callerOf({ chain, trace });
  }

  override client<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    if (target !== undefined) return this.node.actors<App>(target, options);
    return actorsOf<App>(this.#local);
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
