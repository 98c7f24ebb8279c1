import { Deque } from "../deque.ts";
import type { Backlog } from "./backlog.ts";

/** One piece of work; the next begins when it has returned, or its promise has settled. */
export type Task = () => void | Promise<void>;

interface Job {
  readonly task: Task;
  readonly backlog: Backlog | undefined;
  readonly bytes: number;
}

/** What a worker tells its owner. */
export interface WorkerEvents {
  /** A task threw or rejected; the next one follows. */
  failed(error: unknown): void;
  /** Nothing is queued and nothing runs any more. */
  idle(): void;
}

/**
 * Does one task at a time, in order. A task that finds the worker idle is done at once: one that returns
 * no promise costs neither queue nor promise.
 */
export class OrderedWorker {
  readonly #events: WorkerEvents;
  readonly #queue = new Deque<Job>();
  #busy = false;
  #rest: Promise<void> | undefined;
  #rested: () => void = () => {};

  constructor(events: WorkerEvents) {
    this.#events = events;
  }

  /** Tasks that wait for the one being done. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Whether a task is being done. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Does `task` after all that came before. While it waits, `bytes` weigh on `backlog`. */
  add(task: Task, backlog?: Backlog, bytes = 0): void {
    if (this.#busy) {
      this.#queue.push({ task, backlog, bytes });
      backlog?.add(bytes);
      return;
    }
    this.#busy = true;
    const running = this.#do(task);
    if (running === undefined) this.#next();
    else this.#resume(running);
  }

  /** Forgets what waits; what is being done goes on. */
  discard(): void {
    while (this.#shift() !== undefined);
  }

  /** Resolves when nothing is queued and nothing runs. */
  rest(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    this.#rest ??= new Promise((resolve) => {
      this.#rested = resolve;
    });
    return this.#rest;
  }

  #next(): void {
    for (let job = this.#shift(); job !== undefined; job = this.#shift()) {
      const running = this.#do(job.task);
      if (running !== undefined) return this.#resume(running);
    }
    this.#busy = false;
    this.#rest = undefined;
    this.#rested();
    this.#events.idle();
  }

  #resume(running: Promise<unknown>): void {
    running.then(
      () => this.#next(),
      (error: unknown) => {
        this.#events.failed(error);
        this.#next();
      },
    );
  }

  #shift(): Job | undefined {
    const job = this.#queue.shift();
    job?.backlog?.remove(job.bytes);
    return job;
  }

  #do(task: Task): Promise<unknown> | undefined {
    try {
      const result: unknown = task();
      // A promise of another library counts as one; whatever else is returned says nothing.
      return isThenable(result) ? Promise.resolve(result) : undefined;
    } catch (error) {
      this.#events.failed(error);
      return undefined;
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
