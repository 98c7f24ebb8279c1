/** Begins a job; a promise settles when it has ended, nothing means that it has. Never throws. */
export type StartJob<Job> = (job: Job) => void | Promise<void>;

/** Limits of a {@link Scheduler}. */
export interface SchedulerOptions {
  /** Jobs that run at once. */
  readonly budget: number;
  /** Jobs that run or wait for one of the same key; at least `budget`. */
  readonly capacity: number;
}

/** Which jobs a {@link Scheduler} takes now: any, only urgent ones, none. */
export type Appetite = "any" | "urgent" | "none";

/** Jobs of one key: the first one runs. */
interface Lane<Job> {
  running: Job;
  readonly waiting: Job[];
}

/**
 * Runs jobs in the order of their arrival as far as their keys allow: one at a time of the same key,
 * different keys at once, a job without a key alone. It takes no job that could not at least wait for its
 * key, so that whoever hands them out decides late which is next.
 */
export class Scheduler<Job> {
  readonly #start: StartJob<Job>;
  readonly #onRoom: () => void;
  readonly #options: SchedulerOptions;
  /** By key; each has one job that runs. */
  readonly #lanes = new Map<string, Lane<Job>>();
  /** Runs alone. */
  #alone: Job | undefined;
  /** Is to run alone when everything before it has ended; nothing is taken after it. */
  #barrier: Job | undefined;
  #waiting = 0;
  /** Running jobs that wait for others. */
  #lent = 0;

  /** @param onRoom called when a job that had been waited for has ended. */
  constructor(start: StartJob<Job>, onRoom: () => void, options: SchedulerOptions) {
    this.#start = start;
    this.#onRoom = onRoom;
    this.#options = options;
  }

  /** Jobs that run. */
  get running(): number {
    return this.#lanes.size + (this.#alone === undefined ? 0 : 1);
  }

  /** Jobs taken that do not run yet. */
  get waiting(): number {
    return this.#waiting + (this.#barrier === undefined ? 0 : 1);
  }

  /** Running jobs that wait for others hold their keys, but lend their place to urgent jobs: those others may be among them. */
  get appetite(): Appetite {
    const { budget, capacity } = this.#options;
    const { running } = this;
    if (this.#alone !== undefined || this.#barrier !== undefined) return "none";
    if (running + this.#waiting >= capacity) return "none";
    if (running < budget) return "any";
    return running - this.#lent < budget ? "urgent" : "none";
  }

  /** Takes the next job; only while {@link Scheduler.appetite} is not `none`. */
  submit(job: Job, key: string | undefined): void {
    if (key !== undefined) this.enter(job, key);
    else if (this.#lanes.size === 0) this.#runAlone(job);
    else this.#barrier = job;
  }

  /** Takes a job whatever the appetite, also before a waiting barrier; only while none runs. */
  enter(job: Job, key: string): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return this.#runLane(key, { running: job, waiting: [] });
    lane.waiting.push(job);
    this.#waiting += 1;
  }

  /** The running jobs that a job of `key` would have to wait for, or that it would follow on. */
  *blockers(key: string | undefined): Generator<Job> {
    if (this.#alone !== undefined) yield this.#alone;
    if (key === undefined || this.#barrier !== undefined) {
      for (const lane of this.#lanes.values()) yield lane.running;
      return;
    }
    const lane = this.#lanes.get(key);
    if (lane !== undefined) yield lane.running;
  }

  /** A running job begins to wait for others. */
  lend(): void {
    this.#lent += 1;
    this.#onRoom();
  }

  /** A running job waits no more. */
  resume(): void {
    this.#lent -= 1;
  }

  /** Takes back what does not run yet. */
  clear(): Job[] {
    const left = [...this.#lanes.values()].flatMap((lane) => lane.waiting.splice(0));
    if (this.#barrier !== undefined) left.push(this.#barrier);
    this.#barrier = undefined;
    this.#waiting = 0;
    return left;
  }

  #runAlone(job: Job): void {
    this.#alone = job;
    const run = this.#start(job);
    if (run === undefined) {
      this.#alone = undefined;
      return;
    }
    const end = (): void => {
      this.#alone = undefined;
      this.#onRoom();
    };
    run.then(end, end);
  }

  /** Runs the lane's jobs one after the other; at once as long as they end at once. */
  #runLane(key: string, lane: Lane<Job>): void {
    this.#lanes.set(key, lane);
    while (true) {
      const run = this.#start(lane.running);
      if (run !== undefined) {
        const next = (): void => this.#nextOf(key, lane);
        return void run.then(next, next);
      }
      if (!this.#shift(key, lane)) return;
    }
  }

  #nextOf(key: string, lane: Lane<Job>): void {
    if (this.#shift(key, lane)) this.#runLane(key, lane);
    const barrier = this.#barrier;
    if (barrier !== undefined && this.#lanes.size === 0) {
      this.#barrier = undefined;
      this.#runAlone(barrier);
    }
    this.#onRoom();
  }

  /** Makes the lane's next job the running one; without one, the lane ends. */
  #shift(key: string, lane: Lane<Job>): boolean {
    const next = lane.waiting.shift();
    if (next === undefined) {
      this.#lanes.delete(key);
      return false;
    }
    lane.running = next;
    this.#waiting -= 1;
    return true;
  }
}
