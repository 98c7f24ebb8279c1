import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import { TurnTrace } from "./inspection_trace.ts";

/** What of an actor can change under who looks at it. */
export type WatchedPart = "connections" | "queue" | "workflow" | "lifecycle";

/** Who looks at an actor. */
export interface Watcher {
  /** The state as it is now, CBOR; it may not be on disk yet. */
  state(encoded: Uint8Array<ArrayBuffer>): void;
  /** Another part has changed. */
  changed(part: WatchedPart): void;
}

/** What a watch looks into: an actor that is awake. */
export interface Watched {
  /** Whether its state may be shown: it has started, and does not end yet. */
  readonly isShown: boolean;
  /** Its state, CBOR. @throws ActrError `actor.unsupported_value`. */
  encodedState(): Uint8Array<ArrayBuffer>;
}

/** Collaborators of {@link ActorWatch}. */
export interface WatchComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** How long after a first change who looks is told of it and of what followed, milliseconds (`spec/actor-host.md` §16.1). */
const watchDelayMs = 50;

/**
 * Who looks at one actor, over its sleeps: tells them of changes, of all that happen within {@link watchDelayMs} at once.
 * An actor that nobody looks at has none, and pays one comparison for each change.
 */
export class ActorWatch {
  /** What it does while somebody looks. */
  readonly trace: TurnTrace;
  readonly #components: WatchComponents;
  readonly #watchers = new Set<Watcher>();
  readonly #parts = new Set<WatchedPart>();
  /** Whether the state has changed and is not being saved. */
  #stateIsNew = false;
  /** Whether a state is on disk that was not shown. */
  #stateIsSaved = false;
  #timer: Timer | undefined;
  #watched: Watched | undefined;

  constructor(components: WatchComponents) {
    this.#components = components;
    this.trace = new TurnTrace(components.clock, components.random);
  }

  /** Whether somebody looks. */
  get isUsed(): boolean {
    return this.#watchers.size > 0;
  }

  /** Whether something is about to be told. */
  get isDue(): boolean {
    return this.#timer !== undefined;
  }

  /** The actor is awake from now on; undefined: it is not any more. */
  follow(watched: Watched | undefined): void {
    this.#watched = watched;
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (!this.isUsed) this.#disarm();
  }

  /** The state has changed in memory. */
  stateChanged(): void {
    this.#stateIsNew = true;
    this.#arm();
  }

  /** The state is being written: it is shown when that has happened, rather than twice. */
  stateSaving(): void {
    this.#stateIsNew = false;
    if (!this.#stateIsSaved && this.#parts.size === 0) this.#disarm();
  }

  /** The state is on disk. */
  stateSaved(): void {
    this.#stateIsSaved = true;
    this.#arm();
  }

  /** Another part has changed. */
  changed(part: WatchedPart): void {
    this.#parts.add(part);
    this.#arm();
  }

  /** Set once: what follows does not put it off. */
  #arm(): void {
    if (this.#timer !== undefined || !this.isUsed) return;
    const { clock } = this.#components;
    this.#timer = clock.timer(clock.now() + watchDelayMs, () => this.#tell());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stateIsNew = false;
    this.#stateIsSaved = false;
    this.#parts.clear();
  }

  #tell(): void {
    const parts = [...this.#parts];
    const state = this.#stateIsNew || this.#stateIsSaved ? this.#encoded() : undefined;
    this.#disarm();
    for (const watcher of this.#watchers) {
      if (state !== undefined) watcher.state(state);
      for (const part of parts) watcher.changed(part);
    }
  }

  #encoded(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#watched?.isShown !== true) return undefined;
    const { log } = this.#components;
    try {
      const encoded = this.#watched.encodedState();
      const size = { payload_bytes: encoded.length, receiver_count: this.#watchers.size };
      log.debug("inspector.overlay", size);
      return encoded;
    } catch (error) {
      // It is shown again once it has changed to something that can be written.
      log.warn("inspector.overlay_failed", { error: ActrError.from(error) });
      return undefined;
    }
  }
}
