import type { ActorKey } from "../actor.ts";
import type { CallTarget } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import { ActorIds, type KeyedTarget } from "./actor_ids.ts";
import { actorIdOf } from "./contents.ts";
import type { ActorKind, HostComponents } from "./host_components.ts";
import type { Watches } from "./inspection/watches.ts";
import { Instance } from "./instance.ts";
import type { InstanceOwner } from "./instance_owner.ts";
import type { Kinds } from "./kinds.ts";
import { admitStop, type StopReason } from "./lifecycle.ts";
import { newRecord, readSource, type StartSource } from "./start_source.ts";
import { startWithin } from "./starting.ts";
import { lifecycleStep } from "./steps.ts";
import { Stopping } from "./stopping.ts";

/** An actor that is awake, or wakes, or stops. */
interface Seat {
  readonly instance: Promise<Instance>;
  stopping: Stopping | undefined;
}

/** What {@link Seats} needs of its host. */
export interface SeatsOwner extends Pick<InstanceOwner, "callerOf" | "expect"> {
  /** What actors that wake work with; others once their node has joined those that share the store. */
  readonly components: HostComponents;
  /** @throws ActrError `actor.moved` for one that lives elsewhere. */
  requireHere(target: CallTarget): void;
  /** The id of a new actor. */
  newId(name: string, key: ActorKey): string;
}

/** What {@link Seats} work with. */
export interface SeatsParts {
  readonly owner: SeatsOwner;
  readonly kinds: Kinds;
  readonly watches: Watches;
  /** Actors that may be awake at once. */
  readonly maxAwake: number;
}

/** The actors of a node that are in memory, or about to be: woken, made and stopped, each once for all who ask. */
export class Seats implements InstanceOwner {
  readonly expect: (atMs: number) => void;
  readonly #parts: SeatsParts;
  readonly #awake = new Map<string, Instance>();
  /** By id. */
  readonly #seats = new Map<string, Seat>();
  readonly #ids = new ActorIds<Seat>();
  #closed: ActrError | undefined;

  constructor(parts: SeatsParts) {
    this.#parts = parts;
    this.expect = parts.owner.expect;
  }

  /** Actors that are awake, the one that rested longest first. */
  get awake(): ReadonlyMap<string, Instance> {
    return this.#awake;
  }

  /** The actor of a name and key, or of an id, if it takes commands now. */
  serving(target: CallTarget): Instance | undefined {
    const id = "id" in target ? target.id : this.#ids.get(target);
    const instance = id === undefined ? undefined : this.#awake.get(id);
    return instance !== undefined && this.#serves(instance) ? instance : undefined;
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
      this.#parts.owner.requireHere({ id: instance.id });
      // It is asked for anew when it has stopped: then it sleeps, or is no more.
      if (seat.stopping !== undefined) await seat.stopping.ended.catch(() => {});
      else if (instance.requested === "destroy") await this.#nextTurn();
      else return instance;
    }
  }

  /** The id of an actor, being made included; undefined when there is none. @throws ActrError `actor.not_registered`. */
  async idOf(name: string, key: ActorKey): Promise<string | undefined> {
    this.#parts.kinds.get(name);
    const known = await this.#ids.known({ name, key });
    if (typeof known === "string") return known;
    const made = await known?.instance;
    return made?.id ?? (await actorIdOf(this.#parts.owner.components.store, name, key));
  }

  /** Stops an actor, and resolves when it has. @throws ActrError `internal` when it has, but its hook failed; `storage`, `actor.shutdown_timeout`. */
  stop(id: string, reason: StopReason): Promise<void> {
    const { log } = this.#parts.owner.components;
    const stop = { actor_id: id, command: "stop", reason } as const;
    return lifecycleStep(log, stop, () => this.#end(id, reason));
  }

  async #end(id: string, reason: StopReason): Promise<void> {
    const seat = this.#seats.get(id);
    if (seat === undefined) {
      if (reason === "sleep") return;
      await this.wake({ id });
      return await this.#end(id, reason);
    }
    const instance = await seat.instance;
    // It may have stopped, and woken, meanwhile.
    if (this.#seats.get(id) !== seat) return await this.#end(id, reason);
    switch (admitStop(instance.state, reason)) {
      case "begin":
        this.#stop(seat, instance, reason);
        break;
      case "escalate":
        seat.stopping?.escalate();
        break;
      case "after_stop":
        await seat.stopping?.ended;
        return await this.#end(id, reason);
      case "after_start":
      case "join":
      case "done":
        break;
    }
    await seat.stopping?.ended;
    if (seat.stopping?.failure !== undefined) throw seat.stopping.failure;
  }

  /** Puts to sleep whom `which` picks. */
  async sleep(which: (id: string) => boolean = () => true): Promise<void> {
    const ids = [...this.#seats.keys()].filter(which);
    await Promise.all(ids.map((id) => this.stop(id, "sleep").catch(() => {})));
  }

  /** Nothing wakes any more. */
  close(reason: ActrError): void {
    this.#closed = reason;
  }

  /** Drops all, those included that are still being started. */
  drop(error: ActrError): void {
    for (const seat of this.#seats.values()) {
      seat.instance.then((instance) => this.broken(instance, error)).catch(() => {});
    }
    for (const instance of [...this.#awake.values()]) this.broken(instance, error);
  }

  callerOf(...args: Parameters<InstanceOwner["callerOf"]>): ReturnType<InstanceOwner["callerOf"]> {
    return this.#parts.owner.callerOf(...args);
  }

  wants(instance: Instance, reason: StopReason): void {
    void this.stop(instance.id, reason).catch((error: unknown) => {
      if (!isTold(error)) instance.report(error, "hook");
    });
  }

  broken(instance: Instance, error: ActrError): void {
    if (instance.state === "terminated") return;
    this.#parts.owner.components.log.error("actor.broken", { actor_id: instance.id, error });
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
    this.#parts.watches.of(id)?.follow(undefined);
    this.#seats.delete(id);
    this.#ids.delete(record);
  }

  /** Whether it takes commands now; else they wait for whom comes after it. */
  #serves({ id, state, requested }: Instance): boolean {
    if (requested === "destroy") return false;
    return state === "started" || this.#seats.get(id)?.stopping?.waitsForWork === true;
  }

  /** Where an actor is, woken or made if need be. */
  async #seatOf(target: CallTarget): Promise<Seat> {
    const id = "id" in target ? target.id : await this.#find(target);
    return typeof id === "string" ? (this.#seats.get(id) ?? this.#wake(id)) : id;
  }

  /** The id of an actor that is asked for by key; the seat of a new one, if it is to be made. */
  #find(target: KeyedTarget): Promise<string | Seat> {
    const kind = this.#parts.kinds.get(target.name);
    const { store } = this.#parts.owner.components;
    return this.#ids.find(store, target, (input) => this.#make(kind, target.key, input));
  }

  async #make(kind: ActorKind, key: ActorKey, input: unknown): Promise<Seat> {
    const { owner } = this.#parts;
    const record = await newRecord(kind, key, input, owner.components.clock.now());
    return this.#seat(owner.newId(kind.name, key), async () => ({ record, contents: undefined }));
  }

  #wake(id: string): Seat {
    return this.#seat(id, () => readSource(this.#parts.owner.components.store, id));
  }

  /** Starts an instance, once for all who ask meanwhile. @throws ActrError `actor.moved`. */
  #seat(id: string, read: () => Promise<StartSource>): Seat {
    this.#parts.owner.requireHere({ id });
    const { log } = this.#parts.owner.components;
    const start = { actor_id: id, command: "start" } as const;
    const instance = lifecycleStep(log, start, () => this.#start(id, read));
    const seat: Seat = { instance, stopping: undefined };
    this.#seats.set(id, seat);
    instance.catch(() => this.#seats.delete(id));
    return seat;
  }

  async #start(id: string, read: () => Promise<StartSource>): Promise<Instance> {
    const { owner, kinds, watches } = this.#parts;
    const { components } = owner;
    const { record, contents } = await read();
    // What was being looked up when the host closed has nobody left to stop it.
    if (this.#closed !== undefined) throw this.#closed;
    const kind = kinds.get(record.name);
    const instance = new Instance({ id, record, kind, components, owner: this });
    instance.observe(watches.of(id));
    await startWithin(instance, contents, kind.options.startTimeoutMs);
    this.#awake.set(id, instance);
    this.#ids.set(record, id);
    this.#makeRoom(instance);
    return instance;
  }

  /** Puts those to sleep that rested longest, when too many are awake; never the latest, which has not done what it was woken for. */
  #makeRoom(latest: Instance): void {
    let tooMany = this.#awake.size - this.#parts.maxAwake;
    for (const instance of this.#awake.values()) {
      if (tooMany <= 0) return;
      if (instance === latest || instance.awakeReason !== undefined) continue;
      tooMany -= 1;
      this.wants(instance, "sleep");
    }
  }

  /** What was put off until now has run. */
  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#parts.owner.components.clock.defer(resolve));
  }
}

/** What goes wrong in a hook is reported where it does. */
function isTold(error: unknown): boolean {
  return ActrError.is(error) && error.details?.["callback_name"] !== undefined;
}
