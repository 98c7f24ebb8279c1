import assert from "node:assert/strict";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import type { CallTarget } from "../../../../src/actor_client.ts";
import { ActrError } from "../../../../src/errors.ts";
import { sendForClient } from "../../../../src/host/queues/awaited_send.ts";
import type { Answer } from "../../../../src/host/turns/command.ts";
import { Rig } from "../support.ts";
import { DiskStore, type Fate } from "./disk_store.ts";
import { checkErrors, checkLifecycles } from "./lifecycle_rules.ts";
import { Listener } from "./listener.ts";
import { Lives } from "./lives.ts";
import { type Reading, subject } from "./subject.ts";

const keys = ["a", "b", "c"];

/** Time that everything which was begun has to end, when nothing fails any more, milliseconds. */
const settleMs = 180_000;

/** Time that a sender waits for its message to be completed, milliseconds. */
const longestWaitMs = 1000;

/** One process: its host, and what was asked of it. */
interface Process {
  readonly rig: Rig;
  readonly listeners: Listener[];
  /** What has no answer yet. */
  readonly open: Set<string>;
  killed: boolean;
}

/** How often something happens, and what. */
type Choice = readonly [weight: number, run: (key: string) => unknown];

/** Actors under random commands, failures, crashes and time, beside the rules that they must keep. */
export class World {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #lives = new Lives();
  readonly #violations: Error[] = [];
  readonly #actors;
  #store: DiskStore;
  #process: Process;
  #processes = 0;
  #asked = 0;
  /** Whether hooks, handlers and the disk may fail. */
  #ill = true;

  readonly #choices: readonly Choice[] = [
    [12, (key) => this.#ask(key, "add", [this.#label(), this.#ms()])],
    [4, (key) => this.#ask(key, "look", [this.#ms()])],
    [3, (key) => this.#ask(key, "peek", [])],
    [4, (key) => this.#ask(key, "beside", [this.#label(), this.#ms()])],
    [3, (key) => this.#ask(key, "save", [this.#label()])],
    [3, (key) => this.#ask(key, "last", [])],
    [2, (key) => this.#ask(key, "fail", [this.#label()])],
    [4, (key) => this.#promise(key, "later", (label) => [label, this.#upTo(20_000)])],
    [4, (key) => this.#promise(key, "send", (label) => ["jobs", label])],
    [2, (key) => this.#ask(key, "send", ["letters", this.#label()])],
    [2, (key) => this.#ask(key, "receive", [])],
    [4, (key) => this.#sendFromOutside(key)],
    [3, (key) => this.#connect(key)],
    [6, () => this.#askAsClient()],
    [1, () => this.#disconnect()],
    [1, (key) => this.#ask(key, "hang", [])],
    [2, (key) => this.#ask(key, "rest", [])],
    [1, (key) => this.#end(key)],
    [1, (key) => this.#stop(key, "sleep")],
    [1, (key) => this.#stop(key, "destroy")],
    [14, () => this.#clock.settle()],
    [12, () => this.#clock.advance(this.#upTo(60))],
    [6, () => this.#clock.advance(this.#upTo(2000))],
    [2, () => this.#clock.pass(this.#upTo(15_000))],
    [1, () => this.#restart()],
    [1, () => this.#crash()],
  ];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const chance = (share: number): boolean => this.#ill && this.#random.next() < share;
    const fate = (): Fate => ({
      ms: chance(0.3) ? this.#upTo(30) : 0,
      fault: chance(0.05) ? "database" : chance(0.01) ? "statement" : undefined,
    });
    this.#store = new DiskStore(this.#clock, fate);
    this.#actors = {
      subject: subject({
        clock: this.#clock,
        chance,
        violation: (what) => this.#violated(what),
        saved: (note) => this.#rule(() => this.#lives.noted(note)),
      }),
    };
    this.#process = this.#begin();
  }

  /** One random command, failure, crash, or passage of time. */
  async step(): Promise<void> {
    await this.#choice()(this.#pick(keys));
    this.#check();
  }

  /** Nothing fails any more, and everything has its time: all is answered, and all that was promised is done. */
  async settle(): Promise<void> {
    this.#ill = false;
    await this.#clock.pass(settleMs);
    assert.deepEqual([...this.#process.open], [], "no answer came");
    for (const key of keys) {
      this.#ask(key, "look", [0], (reading) => this.#lives.settled(key, reading));
    }
    await this.#clock.pass(settleMs);
    assert.deepEqual([...this.#process.open], [], "no answer came at last");
    await this.#close();
    await this.#checkRest();
  }

  #choice(): Choice[1] {
    const sum = this.#choices.reduce((total, [weight]) => total + weight, 0);
    let dice = this.#random.next() * sum;
    const found = this.#choices.find(([weight]) => {
      dice -= weight;
      return dice < 0;
    });
    return found?.[1] ?? (() => {});
  }

  /** Runs an action of the actor of a key, which is made when there is none; `told` hears what it answers. */
  #ask(
    key: string,
    name: string,
    args: readonly unknown[],
    told?: (reading: Reading) => void,
  ): void {
    const floor = this.#lives.floor(key);
    const answer = this.#answer(`${name} of ${key}`, (reading) => {
      this.#lives.answered(key, reading, floor);
      told?.(reading);
    });
    this.#process.rig.host.act(targetOf(key), { name, args, answer });
  }

  /** Somebody who waits for an action. */
  #answer(what: string, told: (reading: Reading) => void): Answer {
    const process = this.#process;
    const settle = this.#opened(process, what);
    return {
      take: (output) => () => {
        settle();
        // Nobody hears a process that was killed.
        if (!process.killed && output !== undefined) this.#rule(() => told(output as Reading));
      },
      fail: (error) => {
        settle();
        if (!process.killed) this.#failed(what, error);
      },
    };
  }

  /** Has an actor accept something that it will do. */
  #promise(key: string, name: string, args: (label: string) => unknown[]): void {
    const label = this.#label();
    this.#ask(key, name, args(label), ({ id }) => this.#lives.promised(id, label));
  }

  #end(key: string): void {
    this.#lives.endAsked(key);
    this.#ask(key, "end", [], ({ id }) => this.#lives.endAsked(key, id));
  }

  #sendFromOutside(key: string): void {
    const body = this.#label();
    const wait = this.#random.next() < 0.3;
    this.#begun(`a message for ${key}`, async ({ rig }) => {
      const instance = await rig.host.wake(targetOf(key));
      const { status } = await sendForClient(instance, "jobs", {
        body,
        wait,
        timeoutMs: longestWaitMs,
      });
      if (status === "completed") this.#lives.promised(instance.id, body);
    });
  }

  #connect(key: string): void {
    const process = this.#process;
    this.#begun(`a connection to ${key}`, async ({ rig, listeners }) => {
      const listener = new Listener(rig.host, {
        noted: (note) => process.killed || this.#rule(() => this.#lives.noted(note)),
        violation: (what) => this.#violated(what),
        failed: (error) => this.#failed("a client", error),
      });
      listeners.push(listener);
      await listener.connect(await rig.host.wake(targetOf(key)));
    });
  }

  /** A client asks for what any other may ask for. */
  #askAsClient(): void {
    const listener = this.#pick(this.#process.listeners);
    if (listener?.isOpen !== true) return;
    const name = this.#random.next() < 0.7 ? "add" : "peek";
    const args = name === "add" ? [this.#label(), this.#ms()] : [];
    listener.ask(
      name,
      args,
      this.#answer(`${name} of a client`, ({ id, log }) => {
        for (const [position, label] of log.entries()) this.#lives.noted({ id, position, label });
      }),
    );
  }

  #disconnect(): void {
    const listener = this.#pick(this.#process.listeners);
    if (listener?.isOpen === true) listener.leave();
  }

  #stop(key: string, reason: "sleep" | "destroy"): void {
    const { id } = this.#lives.floor(key);
    if (id === undefined) return;
    if (reason === "destroy") this.#lives.endAsked(key, id);
    this.#begun(`${reason} of ${key}`, async (process) => {
      await process.rig.host.stop(id, reason);
      if (reason === "destroy" && !process.killed) this.#lives.deleted(id);
    });
  }

  async #restart(): Promise<void> {
    await this.#close();
    this.#store = this.#store.reopen();
    this.#process = this.#begin();
  }

  async #close(): Promise<void> {
    const process = this.#process;
    let closed = false;
    void process.rig.close().then(() => {
      closed = true;
    });
    for (let waited = 0; !closed && waited < settleMs; waited += 500) {
      await this.#clock.advance(500);
    }
    assert.ok(closed, "the host does not close");
    await this.#clock.pass(longestWaitMs);
    assert.deepEqual([...process.open], [], "no answer came before the end");
    assert.ok(!process.listeners.some(({ isOpen }) => isOpen), "a client was not cut off");
    await this.#store.close();
    this.#examine();
  }

  #crash(): void {
    const process = this.#process;
    process.killed = true;
    this.#store = this.#store.reopen();
    process.rig.host.abandon(new ActrError("stopping", "killed"));
    this.#examine();
    this.#process = this.#begin();
  }

  #begin(): Process {
    this.#processes += 1;
    const parts = { store: this.#store, clock: this.#clock, seed: this.#processes * 7919 };
    const maxAwake = this.#random.next() < 0.3 ? 2 : 1000;
    const rig = new Rig(this.#actors, { ...parts, maxAwake });
    return { rig, listeners: [], open: new Set(), killed: false };
  }

  /** Something with an outcome that must come. */
  #begun(what: string, work: (process: Process) => Promise<void>): void {
    const process = this.#process;
    const settle = this.#opened(process, what);
    work(process).then(settle, (error: unknown) => {
      settle();
      if (!process.killed && !isOrderly(error)) this.#failed(what, error);
    });
  }

  #opened({ open }: Process, what: string): () => void {
    const name = `${what}, ${++this.#asked}`;
    open.add(name);
    return () => {
      if (!open.delete(name)) this.#violated(`${name} was answered twice`);
    };
  }

  /** Whoever asks is told of what may help, and not of what is inside. */
  #failed(what: string, error: unknown): void {
    if (ActrError.is(error) && error.kind !== "internal") return;
    this.#violated(`${what} failed with ${error}`, error);
  }

  #violated(what: string, cause?: unknown): void {
    this.#violations.push(new Error(what, { cause }));
  }

  #rule(holds: () => void): void {
    try {
      holds();
    } catch (error) {
      this.#violated(String(error), error);
    }
  }

  #examine(): void {
    const { lines } = this.#process.rig;
    this.#rule(() => checkLifecycles(lines));
    this.#rule(() => checkErrors(lines));
    this.#check();
  }

  /** What has ended left nothing. */
  async #checkRest(): Promise<void> {
    const store = this.#store.reopen();
    for (const id of this.#lives.gone) {
      assert.deepEqual(await store.records(`actor:${id}`, "", 1), [], `${id} left something`);
    }
  }

  #check(): void {
    if (this.#violations.length > 0) throw this.#violations[0];
  }

  #label(): string {
    return String(++this.#asked);
  }

  #ms(): number {
    return this.#random.next() < 0.5 ? 0 : this.#upTo(100);
  }

  #upTo(most: number): number {
    return Math.ceil(this.#random.next() * most);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random.next() * from.length)] as T;
  }
}

function targetOf(key: string): CallTarget {
  return { name: "subject", key: [key], create: { input: undefined } };
}

/** What an operator may be told: of the store, and of a stop whose hook failed, though it came. */
function isOrderly(error: unknown): boolean {
  if (!ActrError.is(error)) return false;
  return error.code === "storage" || error.details?.["callback_name"] !== undefined;
}
