import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../../src/errors.ts";
import { readWorkflow } from "../../../../src/host/workflow/stored.ts";
import { historyOf } from "../../../../src/host/workflow/view.ts";
import type { Committed, Store, StoreChange } from "../../../../src/ports/store.ts";
import { Rig } from "../support.ts";
import { actorOf, type Memory, type Parts, queuesOf, randomParts } from "./program.ts";

/** The end of a process at a commit: before it, or after it and before anybody hears of it. */
type Crash = "before" | "after" | undefined;

/** A store whose process ends at some of its commits. */
function crashing(store: MemoryStore, crash: () => Crash): Store {
  let dead = false;
  const submit = (changes: readonly StoreChange[], committed: Committed): void => {
    if (dead) return;
    const end = crash();
    dead = end !== undefined;
    if (end === "after") void store.commit(changes);
    if (end === undefined) store.submit(changes, committed);
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "submit") return submit;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** One program, run by processes that follow each other on one store. */
class World {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #parts: Parts;
  readonly #fails: boolean;
  #store = new MemoryStore();
  #rig: Rig;
  #crashesLeft: number;
  #crashed = false;
  #processes = 1;
  id = "";

  constructor(seed: number, crashes: number) {
    this.#parts = randomParts(new SeededRandom(seed), 0);
    this.#fails = seed % 3 === 0;
    this.#random = new SeededRandom(seed * 31 + crashes);
    this.#crashesLeft = crashes;
    this.#rig = this.#begin();
  }

  /** Runs the program to its end; what it has come to. */
  async run(): Promise<{ readonly outcome: unknown; readonly memory: unknown }> {
    await this.#make();
    const feeds = queuesOf(this.#parts).flatMap((name) => [0, 1, 2, 3].map((n) => ({ name, n })));
    for (const { name, n } of feeds) {
      await this.#pass(this.#random.next() * 5000);
      await this.#act("feed", name, n);
    }
    for (let i = 0; i < 60; i++) await this.#pass(20_000);
    this.#crashesLeft = 0;
    await this.#pass(400_000);
    const { workflow } = await readWorkflow(this.#store, this.id);
    const { state, output, error } = workflow === undefined ? {} : historyOf(workflow, []);
    const memory = (await this.#act("memory")) as Memory;
    const rows = await this.#store.records(`actor-kv:${this.id}`, "", 1000);
    const queued = await this.#store.records(`actor:${this.id}`, "q:", 1000);
    const echoes = queued.filter(({ key }) => key.startsWith("q:")).length;
    await this.#clock.pass(60_000);
    assert.deepEqual(await this.#store.records("alarms", "", 10), []);
    return {
      outcome: { state, output, error },
      memory: { ...memory, kv: rows.map(({ key }) => key), echoes },
    };
  }

  async #make(): Promise<void> {
    while (this.id === "") {
      const made = this.#rig.host
        .wake({ name: "a", key: ["k"], create: { input: undefined } })
        .then(async (instance) => {
          await instance.gate.flushed();
          this.id = instance.id;
        });
      made.catch(() => {});
      await this.#pass(1);
    }
  }

  /** Lets time go by; a process that ended is followed by another. */
  async #pass(ms: number): Promise<void> {
    await this.#clock.pass(ms);
    if (this.#crashed) this.#restart();
    else if (this.#crashesLeft > 0 && this.#random.next() < 0.05) await this.#sleep();
  }

  async #sleep(): Promise<void> {
    if (this.id !== "") void this.#rig.host.stop(this.id, "sleep").catch(() => {});
    await this.#clock.pass(10);
    if (this.#crashed) this.#restart();
  }

  #restart(): void {
    this.#crashed = false;
    const killed = this.#rig.host;
    this.#store = this.#store.reopen();
    killed.abandon(new ActrError("stopping", "killed"));
    this.#processes += 1;
    this.#rig = this.#begin();
  }

  #begin(): Rig {
    const store = crashing(this.#store, () => this.#crash());
    const definition = actorOf(this.#parts, this.#clock, this.#fails);
    return new Rig({ a: definition }, { store, clock: this.#clock, seed: this.#processes * 7919 });
  }

  #crash(): Crash {
    if (this.#crashesLeft === 0 || this.#random.next() >= 0.15) return undefined;
    this.#crashesLeft -= 1;
    this.#crashed = true;
    return this.#random.next() < 0.5 ? "before" : "after";
  }

  /** What an action returns; asked again of the next process where one ends. */
  async #act(action: string, ...args: unknown[]): Promise<unknown> {
    for (;;) {
      let outcome: { readonly value: unknown } | { readonly error: unknown } | undefined;
      this.#rig.act("a", { id: this.id }, action, ...args).then(
        (value) => {
          outcome = { value };
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
      for (let i = 0; i < 100 && outcome === undefined && !this.#crashed; i++) {
        await this.#clock.pass(100);
      }
      if (outcome !== undefined && "value" in outcome) return outcome.value;
      if (outcome !== undefined) assert.equal(ActrError.from(outcome.error).kind, "transient");
      await this.#pass(1);
    }
  }
}

/** Programs that differ in what they are made of; with ROOST_WORKFLOW_SEEDS=N those of 1 to N. */
const chosen = [1, 3, 4, 6, 9, 17, 26, 27, 30, 303];
const count = process.env["ROOST_WORKFLOW_SEEDS"];
const seeds = count === undefined ? chosen : Array.from({ length: Number(count) }, (_, i) => i + 1);

describe("random workflows whose processes end at any commit", () => {
  for (const seed of seeds) {
    it(`come to what they come to undisturbed, every effect once, seed ${seed}`, async () => {
      const straight = await new World(seed, 0).run();
      const crashed = await new World(seed, 12).run();
      assert.deepEqual(crashed, straight);
    });
  }
});
