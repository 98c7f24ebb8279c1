import { Deque } from "../deque.ts";
import { ActrError } from "../errors.ts";
import type { Store, StoreChange } from "../ports/store.ts";

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

/**
 * The commits of one actor, in order, and everything that leaves it: nothing does before the changes made until then
 * are on disk. With nothing to wait for it costs a comparison.
 */
export class OutputGate {
  readonly #store: Store;
  readonly #onFailure: (error: ActrError) => void;
  readonly #held = new Deque<Held>();
  #begun = 0;
  #done = 0;
  #failure: ActrError | undefined;

  /** @param onFailure called once, when a commit failed: what is in memory is not what is on disk. */
  constructor(store: Store, onFailure: (error: ActrError) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  /** Whether every change is on disk. */
  get settled(): boolean {
    return this.#done === this.#begun;
  }

  /** Writes changes, all or nothing. */
  commit(changes: readonly StoreChange[]): void {
    if (this.#failure !== undefined) return;
    this.#begun += 1;
    const commit = this.#begun;
    this.#store.commit(changes).then(
      () => this.#release(commit),
      (error: unknown) => this.fail(ActrError.from(error, "storage")),
    );
  }

  /** Lets `output` out when all that was committed until now is on disk. */
  put(output: Output): void {
    if (this.#failure !== undefined) return output.drop(this.#failure);
    if (this.settled) return output.emit();
    this.#held.push({ after: this.#begun, output });
  }

  /** Resolves when all that was committed until now is on disk. @throws ActrError what the write failed with. */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => this.put({ emit: resolve, drop: reject }));
  }

  /** What is in memory cannot be kept: nothing is written or let out any more. */
  fail(error: ActrError): void {
    if (this.#failure !== undefined) return;
    this.close(error);
    this.#onFailure(error);
  }

  /** Nothing is written or let out any more, whoever still holds on to the actor; later calls change nothing. */
  close(error: ActrError): void {
    this.#failure ??= error;
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      next.output.drop(error);
    }
  }

  #release(commit: number): void {
    this.#done = commit;
    for (let next = this.#held.first; next !== undefined; next = this.#held.first) {
      if (next.after > commit) return;
      this.#held.shift();
      next.output.emit();
    }
  }
}
