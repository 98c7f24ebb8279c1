import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SchedulerOptions } from "../../../src/inbound/scheduler.ts";
import { Prng } from "../protocol/prng.ts";
import { Desk, type DeskJob } from "./scheduler_desk.ts";

/**
 * The rules, said the slow way: of the jobs that have not ended, in the order of their arrival, each begins
 * that may. A job waits for every earlier one of its key, and for every earlier one without a key; one without
 * a key waits for every earlier one. So many run at once, and so many are looked at.
 */
class Model {
  readonly events: string[] = [];
  readonly #options: SchedulerOptions;
  /** Arrived and not ended. */
  readonly #jobs: DeskJob[] = [];
  readonly #running = new Set<DeskJob>();
  open = true;
  /** How far jobs were looked at when it was closed. */
  #seen = Number.POSITIVE_INFINITY;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  arrive(job: DeskJob): void {
    this.#jobs.push(job);
    this.#begin();
  }

  end(name: string): void {
    this.events.push(`-${name}`);
    const ended =
      this.#jobs.find((job) => job.name === name) ?? assert.fail(`${name} is not there`);
    this.#forget(ended);
    this.#begin();
  }

  get running(): string[] {
    return [...this.#running].map(({ name }) => name);
  }

  /** Looks at no further jobs. */
  close(): void {
    this.open = false;
    this.#seen = this.#taken();
  }

  #begin(): void {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      this.events.push(`+${job.name}`);
      this.#running.add(job);
      if (job.sync !== true) continue;
      this.events.push(`-${job.name}`);
      this.#forget(job);
    }
  }

  #forget(job: DeskJob): void {
    this.#running.delete(job);
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    if (!this.open) this.#seen -= 1;
  }

  #next(): DeskJob | undefined {
    if (this.#running.size >= this.#options.budget) return undefined;
    const window = this.#jobs.slice(0, this.open ? this.#taken() : this.#seen);
    return window.find((job, at) => !this.#running.has(job) && this.#mayBegin(job, at));
  }

  #mayBegin({ key }: DeskJob, at: number): boolean {
    const earlier = this.#jobs.slice(0, at);
    if (key === undefined) return earlier.length === 0;
    return earlier.every((job) => job.key !== undefined && job.key !== key);
  }

  /** How many jobs are out of the queue: up to the first that must be alone, or that finds no place. */
  #taken(): number {
    const { budget, capacity } = this.#options;
    const keys = new Set<string>();
    let taken = 0;
    for (const { key } of this.#jobs) {
      if (taken >= capacity || keys.size >= budget) break;
      taken += 1;
      if (key === undefined) break;
      keys.add(key);
    }
    return taken;
  }
}

/** One program: jobs arrive and end in a random order, some at once, some badly; at last the intake closes. */
async function run(seed: number): Promise<number> {
  const random = new Prng(seed);
  const budget = 1 + random.below(6);
  const options = { budget, capacity: budget + random.below(12) };
  const keys = 1 + random.below(8);
  const oneAloneIn = 1 + random.below(12);
  const desk = new Desk(options);
  const model = new Model(options);
  let jobs = 0;
  const steps = 60 + random.below(120);
  for (let step = 0; step < steps || desk.running.length > 0; step++) {
    if (step === steps) {
      desk.open = false;
      model.close();
    }
    if (step < steps && (desk.running.length === 0 || random.below(5) < 3)) {
      const key = random.oneIn(oneAloneIn) ? undefined : `k${random.below(keys)}`;
      const job = { name: `${++jobs}:${key ?? "alone"}`, key, sync: random.oneIn(4) };
      desk.arrive(job);
      model.arrive(job);
    } else {
      const name = random.pick(desk.running);
      await desk.end(name, random.oneIn(5) ? new Error("broken") : undefined);
      model.end(name);
    }
    check(desk, model, options);
  }
  assert.equal(desk.scheduler.running, 0, "everything ended");
  assert.equal(desk.scheduler.waiting, 0, "what was taken has run");
  return jobs;
}

function check(desk: Desk, model: Model, { budget, capacity }: SchedulerOptions): void {
  const { scheduler } = desk;
  assert.deepEqual(desk.running, model.running);
  assert.equal(scheduler.running, desk.running.length);
  assert.ok(scheduler.running <= budget, `${scheduler.running} run, of ${budget}`);
  assert.ok(scheduler.running + scheduler.waiting <= capacity);
  assert.deepEqual(desk.events.splice(0), model.events.splice(0));
}

describe("scheduler, compared with its rules", () => {
  it("[N-125] random programs of thousands of jobs: order and limits are never violated", async () => {
    let jobs = 0;
    for (let seed = 1; jobs < 10_000; seed++) {
      try {
        jobs += await run(seed);
      } catch (error) {
        throw new Error(`the program of seed ${seed} failed`, { cause: error });
      }
    }
  });
});
