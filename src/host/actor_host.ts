import type { ActorKey, AnyActor } from "../actor.ts";
import type { ActorCaller, CallTarget } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { HostOptions } from "../host_options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { formatActorKey } from "../protocol/actors/actor_key.ts";
import { timedId } from "./actor_id.ts";
import { addressOf } from "./actor_ids.ts";
import type { Client } from "./connections/client.ts";
import { type ActorAddress, actorRecordOf, finishDeletions, listActors } from "./contents.ts";
import {
  type ActorKind,
  type GivenComponents,
  type HostComponents,
  hostComponents,
} from "./host_components.ts";
import type { ActorWatch, Watcher } from "./inspection/inspection_watch.ts";
import { Watches } from "./inspection/watches.ts";
import type { Instance } from "./instance.ts";
import { Kinds } from "./kinds.ts";
import type { StopReason } from "./lifecycle.ts";
import { LocalActors, type LocalCallOptions } from "./local_actors.ts";
import { PlacedActors } from "./placement/placed_actors.ts";
import { Placement, type PlacementOwner } from "./placement/placement.ts";
import { shardOfId } from "./placement/shards.ts";
import { Share } from "./placement/share.ts";
import { AlarmClock } from "./schedules/alarm_clock.ts";
import { Seats, type SeatsOwner } from "./seats.ts";
import { lifecycleStep } from "./steps.ts";
import { asRefusal } from "./turns/action_turn.ts";
import type { ActionCommand } from "./turns/command.ts";
import { WakingCommands } from "./waking_commands.ts";

/** Every actor of one node: finds them, makes them, wakes them, and lets them sleep. */
export class ActorHost implements SeatsOwner {
  #components: HostComponents;
  readonly kinds: Kinds;
  readonly #seats: Seats;
  readonly #waking: WakingCommands;
  readonly #watches: Watches;
  readonly #alarms: AlarmClock;
  readonly expect: (atMs: number) => void;
  /** Which actors live here. */
  readonly share: Share;

  /** @throws ActrError `config` for an option that is none. */
  constructor(
    definitions: Readonly<Record<string, AnyActor>>,
    given: GivenComponents,
    options: HostOptions,
  ) {
    const { clock, log, store, placedAs } = given;
    this.#components = hostComponents(given, options);
    this.kinds = new Kinds(definitions);
    this.#waking = new WakingCommands(clock);
    this.#watches = new Watches(given);
    this.#alarms = new AlarmClock({ clock, log, store, onDue: (id, due) => this.#due(id, due) });
    this.expect = (atMs) => this.#alarms.expect(atMs);
    const [kinds, watches] = [this.kinds, this.#watches];
    this.#seats = new Seats({ owner: this, kinds, watches, maxAwake: options.maxAwake });
    const owner: PlacementOwner = {
      gained: (own, unclean) => this.#gained(own, unclean),
      release: (shard) => this.#release(shard),
      lost: (error) => this.#lost(error),
    };
    const parts = { clock, log, store, owner };
    this.share = new Share(placedAs && new Placement({ ...parts, node: placedAs }, options));
  }

  /** What time it is for its actors. */
  get clock(): Clock {
    return this.#components.clock;
  }

  /** Actors that are awake. */
  get awake(): number {
    return this.#seats.awake.size;
  }

  /** Clients that are connected, to actors that sleep too. */
  get clients(): number {
    return this.#components.clients.size;
  }

  /** The client of a connection, whether its actor sleeps or not. */
  client(connectionId: string): Client | undefined {
    return this.#components.clients.get(connectionId);
  }

  /** Names of the definitions. */
  get names(): readonly string[] {
    return this.kinds.names;
  }

  /** How many actors of each definition are awake; counted when it is asked for. */
  awakeByName(): Map<string, number> {
    const counts = new Map(this.kinds.names.map((name) => [name, 0]));
    for (const { record } of this.#seats.awake.values()) {
      counts.set(record.name, (counts.get(record.name) ?? 0) + 1);
    }
    return counts;
  }

  /** Shards of actors that live here; undefined unless nodes share the store. */
  get shards(): number | undefined {
    return this.share.placement?.owned;
  }

  /** Takes a share of the actors, where nodes share the store. @throws ActrError `storage`. */
  async join(): Promise<void> {
    await this.share.placement?.start();
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
    if (!this.share.has(target)) return command.answer.fail(this.share.moved(target));
    const name = "id" in target ? target.id : addressOf(target);
    const serving = this.#waking.has(name) ? undefined : this.#seats.serving(target);
    if (serving !== undefined) return serving.act(command);
    this.#waking.add(name, command, () => this.wake(target));
  }

  /**
   * An actor, awake.
   * @throws ActrError `actor.not_registered`, `actor.not_found`, what its start failed with; `stopping` when the node stops.
   */
  wake(target: CallTarget): Promise<Instance> {
    return this.#seats.wake(target);
  }

  /** Stops an actor, and resolves when it has. @throws as {@link Seats.stop}. */
  stop(id: string, reason: StopReason): Promise<void> {
    return this.#seats.stop(id, reason);
  }

  /** Makes an actor; resolves when it is on disk. @throws ActrError `actor.duplicate_key` when there is one of this key; as {@link ActorHost.wake}. */
  async create(name: string, key: ActorKey, input: unknown): Promise<ActorAddress> {
    const known = await this.#seats.idOf(name, key);
    if (known !== undefined) {
      throw new ActrError("actor.duplicate_key", `actor ${name} ${formatActorKey(key)} exists`, {
        details: { key, existing_actor_id: known },
      });
    }
    const { id, gate } = await this.wake({ name, key, create: { input } });
    await gate.flushed().catch((error: unknown) => {
      throw asRefusal(ActrError.from(error));
    });
    return { id, name, key };
  }

  /** Where an actor is; undefined when there is none. */
  async find(target: CallTarget): Promise<ActorAddress | undefined> {
    if ("id" in target) {
      const instance = this.#seats.awake.get(target.id);
      const record = instance?.record ?? (await actorRecordOf(this.#components.store, target.id));
      return record && { id: target.id, name: record.name, key: record.key };
    }
    const id = await this.#seats.idOf(target.name, target.key);
    return id === undefined ? undefined : { id, name: target.name, key: target.key };
  }

  /** Actors of a definition, ascending by key, after `after`. @throws ActrError `actor.not_registered`. */
  list(name: string, limit: number, after?: ActorKey): Promise<ActorAddress[]> {
    this.kinds.get(name);
    return listActors(this.#components.store, name, after, limit);
  }

  /** An actor that is awake; undefined for one that sleeps. */
  instance(id: string): Instance | undefined {
    return this.#seats.awake.get(id);
  }

  /** Tells of what changes in an actor, whether it sleeps or wakes meanwhile, until the function returned is called. */
  watch(id: string, watcher: Watcher): () => void {
    return this.#watches.add(id, watcher, () => this.instance(id));
  }

  /** Puts every actor to sleep; nothing wakes any more. */
  async close(reason: ActrError): Promise<void> {
    this.#seats.close(reason);
    this.#alarms.close();
    await this.#seats.sleep();
    this.#closeComponents();
    await this.share.placement?.close();
  }

  /** Forgets every actor, as if the process had ended. */
  abandon(reason: ActrError): void {
    this.#seats.close(reason);
    this.#alarms.close();
    this.share.placement?.abandon();
    this.#seats.drop(reason);
    this.#closeComponents();
  }

  callerOf(options: LocalCallOptions): Required<ActorCaller> {
    if (this.share.placement === undefined) return new LocalActors(this, options);
    const { clock, random, node } = this.#components;
    const parts = { clock, random, node, host: this, placement: this.share.placement };
    return new PlacedActors(parts, options);
  }

  /** Who looks at an actor, if somebody does. */
  watchOf(id: string): ActorWatch | undefined {
    return this.#watches.of(id);
  }

  newId(name: string, key: ActorKey): string {
    const { clock, random } = this.#components;
    return this.share.idOf(name, key, timedId(clock.now(), random.uuid()));
  }

  get components(): HostComponents {
    return this.#components;
  }

  /** False when there is no such actor. */
  async #due(id: string, scheduleIds: readonly string[]): Promise<boolean> {
    // Its own node sees to it.
    if (!this.share.has({ id })) return true;
    try {
      // One that stops leaves it to its next start.
      const { log } = this.#components;
      const fire = { actor_id: id, command: "fire_alarm" } as const;
      await lifecycleStep(log, fire, async () => {
        while (!(await this.wake({ id })).schedules.fire(scheduleIds));
      });
    } catch (error) {
      if (ActrError.is(error) && error.code === "actor.not_found") return false;
      this.#components.log.warn("actor.alarm_failed", { actor_id: id, error });
    }
    return true;
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
    await this.#seats.sleep(isGone);
    this.#leave(isGone);
  }

  #lost(error: ActrError): void {
    this.#seats.drop(error);
    this.#leave(() => true);
  }

  /** Actors live elsewhere now. */
  #leave(isGone: (id: string) => boolean): void {
    const { clients, completions } = this.#components;
    clients.closeOf(isGone, "actor.moved");
    completions.end(isGone, "the actor lives on another node now, with the message");
  }

  #closeComponents(): void {
    const { clients, completions, deadlines } = this.#components;
    clients.close("actor.stopping");
    completions.end(() => true, "the node stops; the message is kept");
    deadlines.close();
  }

  /** A definition. @throws ActrError `actor.not_registered`. */
  kind(name: string): ActorKind {
    return this.kinds.get(name);
  }

  requireHere(target: CallTarget): void {
    this.share.requireHome(target);
  }
}
