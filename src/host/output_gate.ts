import { Deque } from "../deque.ts";
import type { ActrError } from "../errors.ts";
import type { StoreChange } from "../ports/store.ts";
import { type CommitComponents, Commits, type CommitsOwner } from "./commits.ts";

/** Something that leaves an actor: it tells what the actor knows, so it waits until that is on disk. */
export interface Output {
  emit(): void;
  /** What it tells of was never written. */
  drop(error: ActrError): void;
}

interface Held {
  readonly after: number;
  readonly output: Output;
}

/** Hears of what could not be written. */
export interface GateOwner extends Pick<CommitsOwner, "failing"> {
  /** What was failing is on disk. */
  recovered(): void;
  /** Called once: what is in memory is not what is on disk, and never will be. */
  lost(error: ActrError): void;
}

/**
 * The way of everything out of one actor: nothing leaves before the changes made until then are on disk. With nothing
 * to wait for it costs a comparison.
 */
export class OutputGate implements CommitsOwner {
  readonly #commits: Commits;
  readonly #owner: GateOwner;
  readonly #held = new Deque<Held>();
  #isFailing = false;
  #failure: ActrError | undefined;

  constructor(components: CommitComponents, owner: GateOwner) {
    this.#commits = new Commits(components, this);
    this.#owner = owner;
  }

  /** Whether changes could not be written, and are tried again. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Tries in a row that failed. */
  get failures(): number {
    return this.#commits.failures;
  }

  /** What is in memory was read from the disk, so that changes of it are tried until they are written. */
  keep(): void {
    this.#commits.keep();
  }

  /** Writes changes, all or nothing. */
  commit(changes: readonly StoreChange[]): void {
    this.#commits.add(changes);
  }

  /** Lets `output` out when all that was committed until now is on disk. */
  put(output: Output): void {
    if (this.#failure !== undefined) return output.drop(this.#failure);
    if (this.#commits.settled) return output.emit();
    this.#held.push({ after: this.#commits.begun, output });
  }

  /** Resolves when all that was committed until now is on disk. @throws ActrError what the write failed with. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => this.put({ emit: resolve, drop: reject }));
  }

  /** What is in memory cannot be kept: nothing is written or let out any more. */
  fail(error: ActrError): void {
    if (this.#failure !== undefined) return;
    this.close(error);
    this.#owner.lost(error);
  }

  /** Nothing is written or let out any more, whoever still holds on to the actor; later calls change nothing. */
  close(error: ActrError): void {
    this.#failure ??= error;
    this.#commits.close();
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      next.output.drop(error);
    }
  }

  written(commit: number): void {
    for (let next = this.#held.first; next !== undefined; next = this.#held.first) {
      if (next.after > commit) break;
      this.#held.shift();
      next.output.emit();
    }
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#owner.recovered();
  }

  failing(error: ActrError, failures: number): void {
    this.#isFailing = true;
    this.#owner.failing(error, failures);
  }

  lost(error: ActrError): void {
    this.fail(error);
  }
}
