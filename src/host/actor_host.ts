import type { ActorKey, AnyActor } from "../actor.ts";
import type { ActorCaller, CallTarget } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { HostOptions } from "../host_options.ts";
import { TargetFinder } from "../outbound/target_finder.ts";
import type { SqlDatabases } from "../ports/sql_databases.ts";
import type { Store } from "../ports/store.ts";
import { checkActorKey, formatActorKey } from "../protocol/actors/actor_key.ts";
import { Deadlines } from "../session/deadlines.ts";
import { LateLimit } from "../time_limit.ts";
import { AlarmClock } from "./alarm_clock.ts";
import { checkedBy } from "./check.ts";
import type { Client } from "./client.ts";
import { Clients } from "./clients.ts";
import type { ActionCommand } from "./command.ts";
import { Completions } from "./completions.ts";
import {
  type ActorAddress,
  type ActorRecord,
  actorIdOf,
  actorRecordOf,
  type Contents,
  finishDeletions,
  listActors,
  readContents,
} from "./contents.ts";
import type { ActorKind, HostComponents } from "./host_components.ts";
import type { ActorWatch, Watcher } from "./inspection_watch.ts";
import { Instance, type InstanceOwner } from "./instance.ts";
import { Kinds } from "./kinds.ts";
import { admitStop, type StopReason } from "./lifecycle.ts";
import { LocalActors, type LocalCallOptions } from "./local_actors.ts";
import { PlacedActors } from "./placement/placed_actors.ts";
import { Placement, type PlacementOwner } from "./placement/placement.ts";
import { shardedId, shardOf, shardOfId, shardOfTarget } from "./placement/shards.ts";
import { SqlPool } from "./sql_pool.ts";
import { startInstance } from "./starting.ts";
import { Stopping } from "./stopping.ts";
import { WakingCommands } from "./waking_commands.ts";
import { Watches } from "./watches.ts";

/** An actor that is awake, or wakes, or stops. */
interface Seat {
  readonly instance: Promise<Instance>;
  stopping: Stopping | undefined;
}

/** Every actor of one node: finds them, makes them, wakes them, and lets them sleep. */
export class ActorHost implements InstanceOwner {
  /** Others for what wakes once this node has joined those that share the store. */
  #components: HostComponents;
  readonly #options: HostOptions;
  readonly #kinds: Kinds;
  readonly #awake = new Map<string, Instance>();
  /** By id. */
  readonly #seats = new Map<string, Seat>();
  /** Ids of actors that are awake, and of those being looked up or made, by name and key. */
  readonly #ids = new Map<string, string | Promise<Seat>>();
  readonly #waking: WakingCommands;
  readonly #watches: Watches;
  readonly #alarms: AlarmClock;
  readonly expect: (atMs: number) => void;
  readonly #placement: Placement | undefined;
  #closed: ActrError | undefined;

  /** @throws ActrError `config` for an option that is none. */
  constructor(
    definitions: Readonly<Record<string, AnyActor>>,
    components: Omit<
      HostComponents,
      "deadlines" | "completions" | "clients" | "finder" | "suspectUntil" | "sql"
    > & {
      readonly databases?: SqlDatabases | undefined;
      /** Of a store that nodes share: this node's ActrId as text. */
      readonly placedAs?: (() => string) | undefined;
    },
    options: HostOptions,
  ) {
    const { clock, log, store, databases, placedAs } = components;
    const completions = new Completions();
    const suspectUntil = store.opened.unclean ? clock.now() : Number.NEGATIVE_INFINITY;
    const deadlines = new Deadlines(clock);
    const clients = new Clients(clock);
    const sql = databases && new SqlPool(databases, { maxOpen: options.maxDatabases });
    this.#components = {
      ...{ ...components, deadlines, completions, clients, suspectUntil },
      finder: new TargetFinder(),
      sql,
    };
    this.#options = options;
    this.#kinds = new Kinds(definitions);
    this.#waking = new WakingCommands(clock);
    this.#watches = new Watches(components);
    this.#alarms = new AlarmClock({ clock, log, store, onDue: (id, due) => this.#due(id, due) });
    this.expect = (atMs) => this.#alarms.expect(atMs);
    if (placedAs === undefined) return;
    const owner: PlacementOwner = {
      gained: (own, unclean) => this.#gained(own, unclean),
      release: (shard) => this.#release(shard),
      lost: (error) => this.#lost(error),
    };
    this.#placement = new Placement({ clock, log, store, node: placedAs, owner }, options);
  }

  /** Actors that are awake. */
  get awake(): number {
    return this.#awake.size;
  }

  /** Clients that are connected, to actors that sleep too. */
  get clients(): number {
    return this.#components.clients.size;
  }

  /** The client of a connection, whether its actor sleeps or not. */
  client(connectionId: string): Client | undefined {
    return this.#components.clients.get(connectionId);
  }

  /** How many actors of each definition are awake; counted when it is asked for. */
  awakeByName(): Map<string, number> {
    const counts = new Map(this.names.map((name) => [name, 0]));
    for (const { record } of this.#awake.values()) {
      counts.set(record.name, (counts.get(record.name) ?? 0) + 1);
    }
    return counts;
  }

  /** Names of the definitions. */
  get names(): readonly string[] {
    return this.#kinds.names;
  }

  /** Whether an actor lives here, if it lives: always, unless nodes share the store. */
  hosts(target: CallTarget): boolean {
    return this.#placement?.holds(shardOfTarget(target)) ?? true;
  }

  /** Why `node`, an ActrId as text, may not pass on what others ask; only those that share the store may. */
  refusalOf(node: string): ActrError | undefined {
    if (this.#placement === undefined) {
      const message = `${node} passes on a call to actors that are shared with no other node`;
      return new ActrError("permission_denied", message);
    }
    if (this.#placement.hasMember(node)) return undefined;
    // It may have joined a moment ago; whoever asks tries again.
    this.#placement.look().catch(() => {});
    const message = `${node} is not known to share these actors`;
    return new ActrError("actor.moved", message, { retryAfterMs: 100 });
  }

  /** Shards of actors that live here; undefined unless nodes share the store. */
  get shards(): number | undefined {
    return this.#placement?.owned;
  }

  /** Takes a share of the actors, where nodes share the store. @throws ActrError `storage`. */
  async join(): Promise<void> {
    await this.#placement?.start();
  }

  /** Begins to run what is due. */
  start(): void {
    const { log } = this.#components;
    finishDeletions(this.#components).catch((error: unknown) =>
      log.error("actor.deletion_failed", { error }),
    );
    this.#alarms.start();
  }

  /** Runs an action of an actor; wakes it, or makes it, where that is needed. Commands for one target keep their order. */
  act(target: CallTarget, command: ActionCommand): void {
    if (!this.hosts(target)) return command.answer.fail(this.#moved(target));
    const name = "id" in target ? target.id : addressOf(target.name, target.key);
    if (!this.#waking.has(name)) {
      const id = "id" in target ? target.id : this.#ids.get(name);
      const instance = typeof id === "string" ? this.#awake.get(id) : undefined;
      if (instance !== undefined && this.#serves(instance)) return instance.act(command);
    }
    this.#waking.add(name, command, () => this.wake(target));
  }

  /** Whether it takes commands now; else they wait for whom comes after it. */
  #serves({ id, state, requested }: Instance): boolean {
    if (requested === "destroy") return false;
    return state === "started" || this.#seats.get(id)?.stopping?.waitsForWork === true;
  }

  /**
   * An actor, awake.
   * @throws ActrError `actor.not_registered`, `actor.not_found`, what its start failed with; `stopping` when the node stops.
   */
  async wake(target: CallTarget): Promise<Instance> {
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      const seat = await this.#seatOf(target);
      const instance = await seat.instance;
      this.#requireHere({ id: instance.id });
      // It is asked for anew when it has stopped: then it sleeps, or is no more.
      if (seat.stopping !== undefined) await seat.stopping.ended.catch(() => {});
      else if (instance.requested === "destroy") await this.#nextTurn();
      else return instance;
    }
  }

  /** Makes an actor; resolves when it is on disk. @throws ActrError `actor.duplicate_key` when there is one of this key; as {@link ActorHost.wake}. */
  async create(name: string, key: ActorKey, input: unknown): Promise<ActorAddress> {
    const known = await this.#lookUp(name, key);
    if (known !== undefined) {
      throw new ActrError("actor.duplicate_key", `actor ${name} ${formatActorKey(key)} exists`, {
        details: { key, existing_actor_id: known },
      });
    }
    const { id, gate } = await this.wake({ name, key, create: { input } });
    await gate.flushed();
    return { id, name, key };
  }

  /** Where an actor is; undefined when there is none. */
  async find(target: CallTarget): Promise<ActorAddress | undefined> {
    if ("id" in target) {
      const instance = this.#awake.get(target.id);
      const record = instance?.record ?? (await actorRecordOf(this.#components.store, target.id));
      return record && { id: target.id, name: record.name, key: record.key };
    }
    const id = await this.#lookUp(target.name, target.key);
    return id === undefined ? undefined : { id, name: target.name, key: target.key };
  }

  /** Actors of a definition, ascending by key, after `after`. @throws ActrError `actor.not_registered`. */
  list(name: string, limit: number, after?: ActorKey): Promise<ActorAddress[]> {
    this.kind(name);
    return listActors(this.#components.store, name, after, limit);
  }

  /** An actor that is awake; undefined for one that sleeps. */
  instance(id: string): Instance | undefined {
    return this.#awake.get(id);
  }

  /** Tells of what changes in an actor, whether it sleeps or wakes meanwhile, until the function returned is called. */
  watch(id: string, watcher: Watcher): () => void {
    return this.#watches.add(id, watcher, () => this.instance(id));
  }

  /** Bytes that a message for an actor may have: by its kind, or the widest where it goes by id. @throws ActrError `actor.not_registered`. */
  incomingLimit(target: CallTarget): number {
    return this.#kinds.incomingLimit(target);
  }

  /**
   * Refuses what a peer sends to an actor if it is too long.
   * @throws ActrError `message.incoming_too_long`, `actor.not_registered`.
   */
  requireRoom(target: CallTarget, bytes: number): void {
    const limit = this.incomingLimit(target);
    if (bytes <= limit) return;
    const message = `a message for an actor has ${bytes} bytes; ${limit} are allowed`;
    throw new ActrError("message.incoming_too_long", message, { details: { bytes, limit } });
  }

  /** Stops an actor, and resolves when it has. */
  async stop(id: string, reason: StopReason): Promise<void> {
    const seat = this.#seats.get(id);
    if (seat === undefined) {
      if (reason === "sleep") return;
      await this.wake({ id });
      return await this.stop(id, reason);
    }
    const instance = await seat.instance;
    // It may have stopped, and woken, meanwhile.
    if (this.#seats.get(id) !== seat) return await this.stop(id, reason);
    switch (admitStop(instance.state, reason)) {
      case "begin":
        this.#stop(seat, instance, reason);
        break;
      case "escalate":
        seat.stopping?.escalate();
        break;
      case "after_stop":
        await seat.stopping?.ended;
        return await this.stop(id, reason);
      case "after_start":
      case "join":
      case "done":
        break;
    }
    await seat.stopping?.ended;
  }

  /** Puts every actor to sleep; nothing wakes any more. */
  async close(reason: ActrError): Promise<void> {
    this.#closed = reason;
    this.#alarms.close();
    const ids = [...this.#seats.keys()];
    await Promise.all(ids.map((id) => this.stop(id, "sleep").catch(() => {})));
    this.#components.clients.close("actor.stopping");
    this.#components.deadlines.close();
    await this.#placement?.close();
  }

  /** Forgets every actor, as if the process had ended. */
  abandon(reason: ActrError): void {
    this.#closed = reason;
    this.#alarms.close();
    this.#placement?.abandon();
    for (const instance of [...this.#awake.values()]) this.broken(instance, reason);
    this.#components.clients.close("actor.stopping");
    this.#components.deadlines.close();
  }

  callerOf(options: LocalCallOptions): Required<ActorCaller> {
    if (this.#placement === undefined) return new LocalActors(this, options);
    const { clock, random, node } = this.#components;
    const parts = { clock, random, node, host: this, placement: this.#placement };
    return new PlacedActors(parts, options);
  }

  wants(instance: Instance, reason: StopReason): void {
    void this.stop(instance.id, reason).catch((error: unknown) => instance.report(error, "hook"));
  }

  broken(instance: Instance, error: ActrError): void {
    if (instance.state === "terminated") return;
    this.#components.log.error("actor.broken", { actor_id: instance.id, error });
    const stopping = this.#seats.get(instance.id)?.stopping;
    instance.drop(error);
    stopping?.cut(error);
  }

  activity(instance: Instance): void {
    this.#seats.get(instance.id)?.stopping?.activity();
  }

  #stop(seat: Seat, instance: Instance, reason: StopReason): void {
    const stopping = new Stopping(instance, reason);
    seat.stopping = stopping;
    stopping.ended.catch((error: unknown) =>
      this.broken(instance, ActrError.from(error, "storage")),
    );
  }

  left(instance: Instance): void {
    const { id, record } = instance;
    if (this.#awake.get(id) !== instance) return;
    this.#awake.delete(id);
    this.#watches.of(id)?.follow(undefined);
    this.#seats.delete(id);
    this.#ids.delete(addressOf(record.name, record.key));
  }

  /** Who looks at an actor, if somebody does. */
  watchOf(id: string): ActorWatch | undefined {
    return this.#watches.of(id);
  }

  /** Where an actor is, woken or made if need be. */
  async #seatOf(target: CallTarget): Promise<Seat> {
    const id = "id" in target ? target.id : await this.#idOf(target);
    return typeof id === "string" ? (this.#seats.get(id) ?? this.#wake(id)) : id;
  }

  /** The id of an actor that is asked for by key; the seat of a new one, if it is to be made. */
  async #idOf({
    name,
    key,
    create,
  }: Exclude<CallTarget, { readonly id: string }>): Promise<string | Seat> {
    const kind = this.kind(name);
    checkActorKey(key);
    const address = addressOf(name, key);
    const known = this.#ids.get(address);
    if (known !== undefined) return await known;
    const found = await actorIdOf(this.#components.store, name, key);
    if (found !== undefined) return found;
    if (create === undefined) {
      throw new ActrError("actor.not_found", `there is no actor ${name} ${formatActorKey(key)}`);
    }
    // Somebody else may have begun meanwhile.
    const begun = this.#ids.get(address);
    if (begun !== undefined) return await begun;
    const making = this.#make(kind, key, create.input);
    this.#ids.set(address, making);
    making.then(({ instance }) => instance).catch(() => this.#forget(address, making));
    return await making;
  }

  #forget(address: string, making: string | Promise<Seat>): void {
    if (this.#ids.get(address) === making) this.#ids.delete(address);
  }

  async #make(kind: ActorKind, key: ActorKey, input: unknown): Promise<Seat> {
    const { random, clock } = this.#components;
    const checked = await checkedBy(kind.definition.input, input, "actor.invalid_request");
    const id = this.#newId(kind.name, key, random.uuid());
    const stateVersion = kind.definition.stateVersion ?? 1;
    const { name } = kind;
    const record = { name, key, input: checked, createdAt: clock.now(), stateVersion };
    return this.#seat(id, async () => ({ record, contents: undefined }));
  }

  #wake(id: string): Seat {
    return this.#seat(id, async () => {
      const contents = await readContents(this.#components.store, id);
      if (contents !== undefined) return { record: contents.record, contents };
      throw new ActrError("actor.not_found", `there is no actor ${id}`);
    });
  }

  #newId(name: string, key: ActorKey, uuid: string): string {
    return this.#placement === undefined ? uuid : shardedId(shardOf(name, key), uuid);
  }

  /** Starts an instance, once for all who ask meanwhile. @throws ActrError `actor.moved`. */
  #seat(
    id: string,
    read: () => Promise<{ readonly record: ActorRecord; readonly contents: Contents | undefined }>,
  ): Seat {
    this.#requireHere({ id });
    const instance = this.#start(id, read);
    const seat: Seat = { instance, stopping: undefined };
    this.#seats.set(id, seat);
    instance.catch(() => this.#seats.delete(id));
    return seat;
  }

  async #start(
    id: string,
    read: () => Promise<{ readonly record: ActorRecord; readonly contents: Contents | undefined }>,
  ): Promise<Instance> {
    const components = this.#components;
    const { record, contents } = await read();
    // What was being looked up when the host closed has nobody left to stop it.
    if (this.#closed !== undefined) throw this.#closed;
    const kind = this.kind(record.name);
    const instance = new Instance({ id, record, kind, components, owner: this });
    instance.observe(this.#watches.of(id));
    const { clock } = this.#components;
    const limit = new LateLimit(clock, kind.options.startTimeoutMs, `the start of ${id}`);
    try {
      await startInstance(instance, contents, limit);
    } catch (error) {
      const failure = ActrError.from(error);
      instance.report(failure, "start");
      instance.drop(failure);
      throw failure;
    } finally {
      limit.cancel();
    }
    // What it was to write was refused at once: it is not in memory any more.
    if (instance.dropped !== undefined) throw instance.dropped;
    this.#awake.set(id, instance);
    this.#ids.set(addressOf(record.name, record.key), id);
    this.#makeRoom(instance);
    return instance;
  }

  /** Puts those to sleep that rested longest, when too many are awake; never the latest, which has not done what it was woken for. */
  #makeRoom(latest: Instance): void {
    let tooMany = this.#awake.size - this.#options.maxAwake;
    for (const instance of this.#awake.values()) {
      if (tooMany <= 0) return;
      if (instance === latest || instance.awakeReason !== undefined) continue;
      tooMany -= 1;
      this.wants(instance, "sleep");
    }
  }

  /** False when there is no such actor. */
  async #due(id: string, scheduleIds: readonly string[]): Promise<boolean> {
    // Its own node sees to it.
    if (!this.hosts({ id })) return true;
    try {
      // One that stops leaves it to its next start.
      while (!(await this.wake({ id })).schedules.fire(scheduleIds));
    } catch (error) {
      if (ActrError.is(error) && error.code === "actor.not_found") return false;
      this.#components.log.warn("actor.alarm_failed", { actor_id: id, error });
    }
    return true;
  }

  async #lookUp(name: string, key: ActorKey): Promise<string | undefined> {
    this.kind(name);
    checkActorKey(key);
    const known = this.#ids.get(addressOf(name, key));
    if (typeof known === "string") return known;
    const made = await (await known)?.instance;
    return made?.id ?? (await actorIdOf(this.#components.store, name, key));
  }

  #gained(store: Store, unclean: boolean): void {
    const { clock } = this.#components;
    const suspectUntil = unclean ? clock.now() : this.#components.suspectUntil;
    this.#components = { ...this.#components, store, suspectUntil };
    // What has been overdue since before.
    this.expect(0);
  }

  async #release(shard: number): Promise<void> {
    const isGone = (id: string): boolean => shardOfId(id) === shard;
    const ids = [...this.#seats.keys()].filter(isGone);
    await Promise.all(ids.map((id) => this.stop(id, "sleep").catch(() => {})));
    this.#components.clients.closeOf(isGone, "actor.moved");
  }

  #lost(error: ActrError): void {
    for (const seat of this.#seats.values()) {
      // Also those that are still being started.
      seat.instance.then((instance) => this.broken(instance, error)).catch(() => {});
    }
    for (const instance of [...this.#awake.values()]) this.broken(instance, error);
    this.#components.clients.closeOf(() => true, "actor.moved");
  }

  #requireHere(target: CallTarget): void {
    if (!this.hosts(target)) throw this.#moved(target);
  }

  #moved(target: CallTarget): ActrError {
    const node = this.#placement?.whereIs(shardOfTarget(target))?.node;
    const where = node === undefined ? "no node has taken it over yet" : `it lives on ${node}`;
    const details = node === undefined ? {} : { details: { node } };
    const message = `this actor does not live here: ${where}`;
    return new ActrError("actor.moved", message, { retryAfterMs: 100, ...details });
  }

  /** What was put off until now has run. */
  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#components.clock.defer(resolve));
  }

  /** A definition. @throws ActrError `actor.not_registered`. */
  kind(name: string): ActorKind {
    return this.#kinds.get(name);
  }
}

function addressOf(name: string, key: ActorKey): string {
  return `${name}\n${formatActorKey(key)}`;
}
