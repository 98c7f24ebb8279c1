import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import type { ActorHost } from "../../../src/host/actor_host.ts";
import { newYear } from "./schedules_support.ts";
import { Rig } from "./support.ts";

const keys = ["a", "b", "c"];
const names = ["x", "y"];

/** One run whose effect is on disk. */
interface Effect {
  readonly label: string;
  readonly dueAt: number;
  readonly fireId: string;
}

/** What the rules say of one schedule: when it is due, and since when it is no more. */
interface Expected {
  readonly dueAt: number;
  readonly everyMs: number | undefined;
  endedAt: number;
}

/** Actors under random operations, over processes that end in order or are killed, beside a list of what was asked for. */
class World {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock(newYear);
  #store = new MemoryStore();
  #processes = 1;
  #rig: Rig;
  #labels = 0;
  /** By actor and label. */
  readonly #expected = new Map<string, Expected>();
  /** The label that goes by a name in an actor. */
  readonly #named = new Map<string, string>();
  readonly #definition;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const chance = (): number => this.#random.next();
    const clock = this.#clock;
    this.#definition = actor({
      state: () => ({ effects: [] as Effect[] }),
      options: { sleepAfterMs: 2000 },
      actions: {
        after: (c, ms: number, label: string) =>
          c.schedule.get(c.schedule.after(ms, "run", label))?.dueAt,
        every: (c, name: string, ms: number, label: string) =>
          c.schedule.get(c.schedule.every(name, ms, "run", label))?.dueAt,
        cancel: (c, name: string) => c.schedule.cancel(name),
        effects: (c) => c.state.effects,
        rest: (c) => c.sleep(),
        async run(c, label: string) {
          if (chance() < 0.4) await clock.sleep(Math.floor(chance() * 900), { signal: c.signal });
          if (c.fire?.attempt === 1 && chance() < 0.3) throw new ActrError("unavailable", "chance");
          c.state.effects.push({ label, dueAt: c.fire?.dueAt ?? 0, fireId: c.fire?.fireId ?? "" });
        },
      },
    });
    this.#rig = this.#begin();
  }

  /** One random operation. */
  async step(): Promise<void> {
    const dice = this.#random.next();
    const key = this.#pick(keys);
    if (dice < 0.3) await this.#after(key);
    else if (dice < 0.45) await this.#every(key, this.#pick(names));
    else if (dice < 0.52) await this.#cancel(key, this.#pick(names));
    else if (dice < 0.57) await this.#act(key, "rest");
    else if (dice < 0.95) await this.#clock.advance(Math.floor(this.#random.next() * 8000));
    else await this.#restart(dice < 0.98);
  }

  /** Long after the last operation, with no further failure but those of chance. */
  async check(): Promise<void> {
    for (const key of keys) for (const name of names) await this.#cancel(key, name);
    await this.#clock.advance(120_000);
    for (const key of keys) this.#compare(key, await this.#effects(key));
    assert.deepEqual(await this.#store.records("alarms", "", 10), []);
    assert.deepEqual(await this.#store.deadLetters(10), []);
    await this.#meanwhile(this.#rig.close());
  }

  #compare(key: string, effects: readonly Effect[]): void {
    const fires = effects.map(({ fireId }) => fireId);
    assert.equal(new Set(fires).size, fires.length, `${key}: a run took effect twice`);
    const runs = effects.map(({ label, dueAt }) => `${label} ${dueAt}`);
    assert.equal(new Set(runs).size, runs.length, `${key}: one time was run twice`);
    for (const [id, expected] of this.#expected) {
      const [of, label] = id.split(" ");
      if (of !== key) continue;
      const dues = effects.filter((effect) => effect.label === label).map(({ dueAt }) => dueAt);
      if (expected.everyMs === undefined) assert.deepEqual(dues, [expected.dueAt], id);
      else this.#compareRepeating(id, dues, expected.everyMs, expected);
    }
  }

  /** Every time is one of its own; none is left out but those that passed while it could not run. */
  #compareRepeating(id: string, dues: readonly number[], everyMs: number, each: Expected): void {
    for (const [i, dueAt] of dues.entries()) {
      assert.equal((dueAt - each.dueAt) % everyMs, 0, `${id}: ${dueAt} is none of its times`);
      if (i > 0) assert.ok(dueAt > (dues[i - 1] as number), `${id}: its times descend`);
      assert.ok(dueAt <= each.endedAt, `${id} ran after it was cancelled`);
    }
    // What delays a run, at most: the runs before it, a stop, and the pauses of its tries.
    const longestMs = everyMs + 10_000;
    const times = [each.dueAt - everyMs, ...dues, each.endedAt];
    for (const [i, time] of times.slice(1).entries()) {
      const before = times[i] as number;
      assert.ok(time - before <= longestMs, `${id} was missed from ${before} to ${time}`);
    }
  }

  async #after(key: string): Promise<void> {
    const ms = Math.floor(this.#random.next() * 20_000) - 1000;
    const label = `${++this.#labels}`;
    const dueAt = (await this.#act(key, "after", ms, label)) as number;
    const endedAt = Number.POSITIVE_INFINITY;
    this.#expected.set(`${key} ${label}`, { dueAt, everyMs: undefined, endedAt });
  }

  async #every(key: string, name: string): Promise<void> {
    if (this.#named.has(`${key} ${name}`)) await this.#cancel(key, name);
    const everyMs = 5000 + 1000 * Math.floor(this.#random.next() * 4);
    const label = `${++this.#labels}`;
    const dueAt = (await this.#act(key, "every", name, everyMs, label)) as number;
    // Set again as it is, it stays as it is.
    await this.#act(key, "every", name, everyMs, label);
    this.#named.set(`${key} ${name}`, label);
    const endedAt = Number.POSITIVE_INFINITY;
    this.#expected.set(`${key} ${label}`, { dueAt, everyMs, endedAt });
  }

  async #cancel(key: string, name: string): Promise<void> {
    const label = this.#named.get(`${key} ${name}`);
    this.#named.delete(`${key} ${name}`);
    const was = await this.#act(key, "cancel", name);
    assert.equal(was, label !== undefined, `${key} ${name}`);
    const expected = this.#expected.get(`${key} ${label}`);
    if (expected !== undefined) expected.endedAt = this.#clock.now();
  }

  async #restart(orderly: boolean): Promise<void> {
    if (orderly) {
      await this.#meanwhile(this.#rig.close());
      await this.#store.close();
    }
    const killed: ActorHost = this.#rig.host;
    this.#store = this.#store.reopen();
    killed.abandon(new ActrError("stopping", "killed"));
    this.#processes += 1;
    this.#rig = this.#begin();
  }

  #begin(): Rig {
    const parts = { store: this.#store, clock: this.#clock, seed: this.#processes * 7919 };
    return new Rig({ job: this.#definition }, parts);
  }

  /** What one action returns; an actor that stops is asked again. */
  async #act(key: string, action: string, ...args: unknown[]): Promise<unknown> {
    for (;;) {
      const acting = this.#rig.act("job", key, action, ...args);
      const outcome = await this.#meanwhile(acting.catch((error: unknown) => error));
      if (!ActrError.is(outcome)) return outcome;
      assert.equal(outcome.kind, "transient", outcome.message);
    }
  }

  /** Lets time go on until `work` has ended. */
  async #meanwhile<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    work.then(end, end);
    await this.#clock.settle();
    while (!ended) await this.#clock.advance(50);
    return await work;
  }

  async #effects(key: string): Promise<Effect[]> {
    return (await this.#act(key, "effects")) as Effect[];
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random.next() * from.length)] as T;
  }
}

describe("schedules under random operations, failures, crashes and time", () => {
  for (let seed = 1; seed <= 6; seed++) {
    it(`misses no run and takes effect once, seed ${seed}`, async () => {
      const world = new World(seed);
      for (let i = 0; i < 120; i++) await world.step();
      await world.check();
    });
  }
});
