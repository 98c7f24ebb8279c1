import { Scheduler, type SchedulerOptions } from "../../../src/inbound/scheduler.ts";

/** A job of a test. */
export interface DeskJob {
  readonly name: string;
  /** None: it runs alone. */
  readonly key?: string | undefined;
  /** Ends as soon as it begins. */
  readonly sync?: boolean;
}

/** A scheduler and the queue before it; the test ends the jobs that run. */
export class Desk {
  readonly events: string[] = [];
  readonly scheduler: Scheduler<DeskJob>;
  readonly #queue: DeskJob[] = [];
  readonly #ends = new Map<string, (failure?: Error) => void>();
  #taking = false;
  open = true;

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.scheduler = new Scheduler(
      (job) => this.#start(job),
      () => this.#take(),
      { budget: 8, capacity: 256, ...options },
    );
  }

  /** Names of jobs that run, in the order in which they began. */
  get running(): string[] {
    return [...this.#ends.keys()];
  }

  /** Jobs that the scheduler has not taken. */
  get queued(): number {
    return this.#queue.length;
  }

  arrive(...jobs: readonly DeskJob[]): void {
    this.#queue.push(...jobs);
    this.#take();
  }

  /** Ends a running job and lets everything that follows happen. */
  async end(name: string, failure?: Error): Promise<void> {
    const end = this.#ends.get(name);
    if (end === undefined) throw new TypeError(`${name} does not run: ${this.running}`);
    this.#ends.delete(name);
    this.events.push(`-${name}`);
    end(failure);
    await Promise.resolve();
    await Promise.resolve();
  }

  #take(): void {
    if (this.#taking) return;
    this.#taking = true;
    while (this.open && this.scheduler.appetite === "any") {
      const job = this.#queue.shift();
      if (job === undefined) break;
      this.scheduler.submit(job, job.key);
    }
    this.#taking = false;
  }

  #start(job: DeskJob): void | Promise<void> {
    this.events.push(`+${job.name}`);
    if (job.sync === true) {
      this.events.push(`-${job.name}`);
      return;
    }
    return new Promise((resolve, reject) => {
      this.#ends.set(job.name, (failure) => (failure === undefined ? resolve() : reject(failure)));
    });
  }
}
