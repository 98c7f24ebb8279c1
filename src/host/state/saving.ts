import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { StoreChange } from "../../ports/store.ts";
import { stateChange } from "../contents.ts";
import type { Output, OutputGate } from "../output_gate.ts";
import { lifecycleDrained, type Stepping } from "../steps.ts";
import type { Turns } from "../turns/turns.ts";
import { TrackedState } from "./tracked_state.ts";

/** The actor's own code that is told of changes. */
export interface StateWatcher {
  /** It will be told. */
  expect(): void;
  /** Called once a turn of the event loop in which the state changed; may change nothing. */
  tell(state: unknown): void;
}

/** What {@link Saving} works with. */
export interface SavingComponents {
  readonly clock: Clock;
  readonly gate: OutputGate;
  /** Space of the actor's rows. */
  readonly space: string;
  readonly turns: Pick<Turns, "running">;
  readonly actor: Stepping;
  readonly watcher: StateWatcher | undefined;
}

/** A row that is written as it is when it is saved, however often it changed. */
export interface LateChange {
  /** None when there is nothing to write any more. @throws ActrError `actor.unsupported_value`. */
  change(space: string): StoreChange | undefined;
}

/** Who is told of what becomes of the state. */
export interface SavingObserver {
  stateChanged(): void;
  /** It is handed to the store. */
  stateSaving(): void;
  /** It is on disk. */
  stateSaved(): void;
}

/**
 * What changed in one actor and is not handed to the store yet: its state, and rows of its parts. The end of each
 * action saves it in one commit; what changes outside of actions is saved at once, and then no sooner than an interval
 * after the save before. Nothing is written before {@link Saving.open}: an actor that could not be made leaves nothing
 * behind.
 */
export class Saving {
  observer: SavingObserver | undefined;
  readonly #components: SavingComponents;
  readonly #intervalMs: number;
  #state: TrackedState;
  #open = false;
  #dirty = false;
  /** Within the part of a handler that runs at once: its end saves, so no timer is needed. */
  #inTurn = false;
  #told = true;
  #changes: StoreChange[] = [];
  #late: Set<LateChange> | undefined;
  /** Goes with the first save. */
  #first: StoreChange | undefined;
  /** What tells of changes that are not saved. */
  #outputs: Output[] = [];
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #saves = 0;
  /** When it saved last, Unix milliseconds. */
  #savedAt: number | undefined;

  constructor(components: SavingComponents, { intervalMs }: { readonly intervalMs: number }) {
    this.#components = components;
    this.#intervalMs = intervalMs;
    this.#state = new TrackedState(undefined, () => this.#changed());
  }

  /** The actor's state; assigning replaces all of it. */
  get state(): unknown {
    return this.#state.value;
  }

  set state(value: unknown) {
    this.#state.value = value;
  }

  /** The state as it is stored; not to be changed. */
  get rawState(): unknown {
    return this.#state.raw;
  }

  /** Whether anything may be written yet. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether there is something to save. */
  get isDue(): boolean {
    return this.#dirty || this.#changes.length > 0 || this.#late !== undefined;
  }

  /** How often changes were handed to the store. */
  get saves(): number {
    return this.#saves;
  }

  /** Takes a state that is saved already; `first` is written with the first save, and not by itself. */
  restore(state: unknown, first: StoreChange): void {
    this.#first = first;
    this.#state = new TrackedState(state, () => this.#changed());
  }

  /** Lets changes be written from here on. */
  open(): void {
    this.#open = true;
  }

  /** Adds changes of the actor's parts to the next save. */
  add(...changes: readonly StoreChange[]): void {
    this.#changes.push(...changes);
    this.#arm();
  }

  /** Adds a row to the next save, as it will be then. */
  addLate(row: LateChange): void {
    this.#late ??= new Set();
    this.#late.add(row);
    this.#arm();
  }

  /** Runs the part of a handler that runs at once; whoever calls this saves afterwards, or when the handler has ended. */
  within<T>(handler: () => T): T {
    this.#inTurn = true;
    try {
      return handler();
    } finally {
      this.#inTurn = false;
    }
  }

  /** Hands all changes to the store, in one commit, and lets out what waited for that. */
  save(): void {
    if (!this.#open) return;
    if (this.isDue) {
      this.#disarm();
      lifecycleDrained(this.#components.actor, "save_requested");
      const changes = this.#changes;
      this.#changes = [];
      this.#encode(changes);
      if (this.#first !== undefined) changes.push(this.#first);
      this.#first = undefined;
      const observer = this.#dirty ? this.observer : undefined;
      this.#dirty = false;
      this.#saves += 1;
      this.#savedAt = this.#components.clock.now();
      observer?.stateSaving();
      this.#components.gate.commit(changes);
      if (observer !== undefined) {
        this.#components.gate.put({ emit: () => observer.stateSaved(), drop() {} });
      }
    }
    if (this.#outputs.length === 0) return;
    for (const output of this.#outputs.splice(0)) this.#components.gate.put(output);
  }

  /** Lets `output` out when all that changed until now is on disk. */
  put(output: Output): void {
    if (this.isDue) this.#outputs.push(output);
    else this.#components.gate.put(output);
  }

  /** Saves after a while, at the latest `maxWaitMs` from now. */
  saveWithin(maxWaitMs: number): void {
    if (this.isDue) this.#armAt(this.#components.clock.now() + maxWaitMs);
  }

  /** Saves what a handler left that goes on. */
  watch(): void {
    if (this.isDue) this.#arm();
  }

  /** Nothing is saved by itself any more. */
  close(): void {
    this.#open = false;
    this.#disarm();
  }

  /** A state that has come to contain itself cannot be written: then all that is in memory is dropped. */
  #encode(changes: StoreChange[]): void {
    const { gate, space } = this.#components;
    try {
      if (this.#dirty) changes.push(stateChange(space, this.#state.raw));
      for (const row of this.#late ?? []) {
        const change = row.change(space);
        if (change !== undefined) changes.push(change);
      }
    } catch (error) {
      gate.fail(ActrError.from(error));
    }
    this.#late = undefined;
  }

  #changed(): void {
    this.#dirty = true;
    this.observer?.stateChanged();
    this.#tell();
    this.#arm();
  }

  #arm(): void {
    if (this.#inTurn || this.#timer !== undefined) return;
    const { clock, turns } = this.#components;
    const now = clock.now();
    // What an action does is one commit, if it does not take too long.
    const from = turns.running > 0 ? now : (this.#savedAt ?? now);
    this.#armAt(Math.max(now, from + this.#intervalMs));
  }

  #armAt(atMs: number): void {
    if (!this.#open || atMs >= this.#dueAt) return;
    this.#disarm();
    this.#dueAt = atMs;
    this.#timer = this.#components.clock.timer(atMs, () => {
      this.#disarm();
      this.save();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #tell(): void {
    const { clock, watcher } = this.#components;
    if (watcher === undefined || !this.#told) return;
    this.#told = false;
    watcher.expect();
    clock.defer(() => {
      this.#told = true;
      this.#state.observed(() => watcher.tell(this.#state.value));
    });
  }
}
