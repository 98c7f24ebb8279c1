import { Deque } from "../deque.ts";
import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Store, StoreChange } from "../ports/store.ts";

/** Pauses before what could not be written is tried again, milliseconds; they double, and vary by a quarter of it. */
const firstPauseMs = 100;
const longestPauseMs = 30_000;
const jitter = 0.25;
/** Commits that wait while the store fails. */
const maxWaiting = 10_000;

/** What {@link Commits} work with. */
export interface CommitComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
}

/** Hears what becomes of commits. */
export interface CommitsOwner {
  /** All up to the one of this number are on disk. */
  written(commit: number): void;
  /** Some could not be written, for the `failures`th time in a row; they are tried again. */
  failing(error: ActrError, failures: number): void;
  /** Some will never be written: what is in memory is not what is on disk. */
  lost(error: ActrError): void;
}

/**
 * The commits of one actor, in order, until each is on disk (`spec/actor-host.md` D7, D8). After one that failed, all
 * that came since go together with it into the next try: the store may have written later ones without it.
 */
export class Commits {
  readonly #components: CommitComponents;
  readonly #owner: CommitsOwner;
  /** Not on disk, the oldest first. */
  readonly #waiting = new Deque<readonly StoreChange[]>();
  #begun = 0;
  /** Handed to the store, which has not answered. */
  #flying = 0;
  /** Something of this actor is on disk. */
  #kept = false;
  #failing = false;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(components: CommitComponents, owner: CommitsOwner) {
    this.#components = components;
    this.#owner = owner;
  }

  /** Number of the last commit. */
  get begun(): number {
    return this.#begun;
  }

  /** Tries in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether every change is on disk. */
  get settled(): boolean {
    return this.#waiting.size === 0;
  }

  /** What is in memory was read from the disk. Until then a failure is final: an actor that could not be made never was. */
  keep(): void {
    this.#kept = true;
  }

  /** Writes changes, all or nothing. */
  add(changes: readonly StoreChange[]): void {
    if (this.#closed) return;
    this.#begun += 1;
    this.#waiting.push(changes);
    if (!this.#failing) this.#write(changes, 1);
    else if (this.#waiting.size > maxWaiting) this.#owner.lost(tooMany());
  }

  /** Nothing is tried again any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #write(changes: readonly StoreChange[], commits: number): void {
    this.#flying += 1;
    this.#components.store.submit(changes, (error) => this.#answered(commits, error), this);
  }

  #answered(commits: number, error: unknown): void {
    this.#flying -= 1;
    if (this.#closed) return;
    if (error !== undefined && !this.#failing) this.#failed(ActrError.from(error, "storage"));
    else if (!this.#failing) this.#written(commits);
    if (this.#failing && this.#flying === 0) this.#arm();
  }

  #written(commits: number): void {
    this.#kept = true;
    this.#failures = 0;
    for (let i = 0; i < commits; i++) this.#waiting.shift();
    this.#owner.written(this.#begun - this.#waiting.size);
  }

  #failed(error: ActrError): void {
    if (!this.#kept || !mayPass(error)) return this.#owner.lost(error);
    this.#failing = true;
    this.#failures += 1;
    this.#owner.failing(error, this.#failures);
  }

  #arm(): void {
    const { clock, random } = this.#components;
    const pauseMs = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestPauseMs);
    const varied = pauseMs * (1 + jitter * (2 * random.next() - 1));
    this.#timer = clock.timer(clock.now() + varied, () => {
      this.#failing = false;
      this.#write([...this.#waiting].flat(), this.#waiting.size);
    });
  }
}

/** Whether the same changes may be written later: neither they are at fault, nor is the store another's or closed. */
function mayPass({ code, details }: ActrError): boolean {
  if (code === "overloaded") return true;
  return code === "storage" && details?.["fault"] === "database" && details["unknown"] !== true;
}

function tooMany(): ActrError {
  return new ActrError("storage", `${maxWaiting} commits wait for a store that fails`);
}
