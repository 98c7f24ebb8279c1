import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { actor } from "../../../src/actor.ts";
import type { NodeContext } from "../../../src/context.ts";
import { ActrError } from "../../../src/errors.ts";
import { ActorHost } from "../../../src/host/actor_host.ts";
import { readPlacement } from "../../../src/host/placement/rows.ts";
import { shardCount } from "../../../src/host/placement/shards.ts";
import type { ScheduleRow } from "../../../src/host/schedules/schedule_row.ts";
import { decodeRow } from "../../../src/host/state/stored_row.ts";
import { asPromise } from "../../../src/host/turns/command.ts";
import type { RecordEntry } from "../../../src/ports/store.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { failureOf, type LogLine, recorder } from "./support.ts";

/** What an action sees on disk. */
const looks: { store?: MemoryStore; seen?: Promise<RecordEntry[]> | undefined } = {};

const counter = actor({
  state: { count: 0 },
  actions: {
    add(c, by: number): number {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => c.state.count,
    addLater: (c, ms: number) => void c.schedule.after(ms, "add", 1),
    peekLater: (c, ms: number) => void c.schedule.after(ms, "peek"),
    /** Looks at its own schedule while it runs. */
    peek(c): void {
      looks.seen = looks.store?.records(`actor:${c.actorId}`, "t:", 1);
    },
    async addAfter(c, gate: { readonly open: Promise<void> }): Promise<number> {
      await gate.open;
      c.state.count += 1;
      return c.state.count;
    },
  },
});

const target = { name: "counter", key: ["a"], create: { input: undefined } } as const;

/** A host that shares its store with others, and whose time passes apart: one whose clock stands still is paused. */
class Paused {
  readonly clock = new FakeClock();
  readonly lines: LogLine[] = [];
  readonly host: ActorHost;
  readonly store: MemoryStore;

  constructor(store: MemoryStore, seed: number) {
    this.store = store.share();
    const node = (): NodeContext => assert.fail("nobody calls other nodes here");
    const parts = { clock: this.clock, random: new SeededRandom(seed), log: recorder(this.lines) };
    this.host = new ActorHost(
      { counter },
      { ...parts, store: this.store, node, placedAs: () => `${seed}@1001/acme:Placed:1.0.0` },
      { leaseMs: 15_000, maxAwake: 100, maxDatabases: 1 },
    );
  }

  async join(): Promise<void> {
    await this.host.join();
    this.host.start();
  }

  act(name: string, ...args: unknown[]): Promise<unknown> {
    return asPromise((answer) => this.host.act(target, { name, args, answer }));
  }

  logged(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }

  close(): Promise<void> {
    return this.host.close(new ActrError("stopping", "the test ends"));
  }
}

/** One that has an actor and is paused, and another that has taken it over. */
async function takenOver(): Promise<{ old: Paused; now: Paused; store: MemoryStore }> {
  const store = new MemoryStore();
  const [old, now] = [new Paused(store, 1), new Paused(store, 2)];
  await old.join();
  assert.equal(await old.act("add", 1), 1);
  await now.clock.advance(17_000);
  await now.join();
  assert.equal(now.host.shards, shardCount);
  return { old, now, store };
}

describe("a node that was silent for longer than its lease", () => {
  it("writes nothing any more, and tells who calls it to ask again", async () => {
    const { old, now } = await takenOver();
    assert.equal(await now.act("add", 10), 11);
    const failure = await failureOf(old.act("add", 1));
    assert.deepEqual([failure.code, failure.retryable], ["actor.restarting", true]);
    assert.equal(await now.act("get"), 11);
    assert.equal(old.host.awake, 0);
    await now.close();
  });

  it("writes nothing of what began before", async () => {
    const store = new MemoryStore();
    const [old, now] = [new Paused(store, 1), new Paused(store, 2)];
    await old.join();
    await old.act("add", 1);
    const gate = withResolvers<void>();
    const adding = failureOf(old.act("addAfter", { open: gate.promise }));
    await now.clock.advance(17_000);
    await now.join();
    await now.act("add", 10);
    gate.resolve();
    assert.equal((await adding).code, "actor.restarting");
    assert.equal(await now.act("get"), 11);
    await now.close();
  });

  it("answers nothing of what it remembers, once it has noticed how late it is", async () => {
    const { old, now } = await takenOver();
    await now.act("add", 10);
    await old.clock.advance(17_000);
    assert.equal((await failureOf(old.act("get"))).code, "actor.moved");
    assert.equal(old.logged("placement.lost"), 1);
    await now.close();
  });

  it("joins anew, and gets a share again, without what it had in memory", async () => {
    const { old, now, store } = await takenOver();
    await now.act("add", 10);
    await old.clock.advance(17_000);
    for (let round = 0; round < 4; round++) {
      await old.clock.advance(5000);
      await now.clock.advance(5000);
    }
    assert.deepEqual([old.host.shards, now.host.shards], [32, 32]);
    const home = [old, now].find(({ host }) => host.share.has(target));
    assert.equal(await home?.act("add", 1), 12);
    const { members, shards } = await readPlacement(store);
    assert.deepEqual([members.size, shards.size], [2, shardCount]);
    await Promise.all([old.close(), now.close()]);
  });

  it("fires nothing that is due: the new owner does, once", async () => {
    const store = new MemoryStore();
    const [old, now] = [new Paused(store, 1), new Paused(store, 2)];
    await old.join();
    await old.act("addLater", 5000);
    await now.clock.advance(17_000);
    await now.join();
    await now.clock.settle();
    assert.equal(await now.act("get"), 1);
    await old.clock.advance(20_000);
    assert.equal(await now.act("get"), 1);
    await now.close();
  });
});

describe("what was due while its node died", () => {
  it("is marked as begun on disk before it runs elsewhere: it may be what the node died of", async () => {
    const store = new MemoryStore();
    const [old, now] = [new Paused(store, 1), new Paused(store, 2)];
    await old.join();
    await old.act("peekLater", 5000);
    await now.clock.advance(17_000);
    looks.store = store;
    await now.join();
    await now.clock.settle();
    const [row] = (await looks.seen) ?? [];
    assert.notEqual(
      decodeRow<ScheduleRow>(row?.value as Uint8Array, "a schedule").claimedAt,
      undefined,
    );
    await now.close();
  });
});

describe("a node that cannot renew its lease", () => {
  it("refuses calls from the end of it until it can again", async () => {
    const store = new MemoryStore();
    const alone = new Paused(store, 1);
    await alone.join();
    await alone.act("add", 1);
    alone.store.fail("the server is away");
    await alone.clock.advance(14_000);
    assert.equal(await alone.act("get"), 1);
    await alone.clock.advance(2000);
    assert.equal((await failureOf(alone.act("get"))).code, "actor.moved");
    alone.store.fail(undefined);
    await alone.clock.advance(5000);
    assert.equal(await alone.act("get"), 1);
    assert.equal(alone.logged("placement.lost"), 0);
    await alone.close();
  });
});

describe("nodes that come at once", () => {
  it("own every shard once between them", async () => {
    const store = new MemoryStore();
    const nodes = [1, 2, 3, 4, 5].map((seed) => new Paused(store, seed));
    await Promise.all(nodes.map((node) => node.join()));
    for (let round = 0; round < 6; round++) {
      await Promise.all(nodes.map(({ clock }) => clock.advance(5000)));
    }
    const owned = nodes.map(({ host }) => host.shards ?? 0);
    assert.equal(
      owned.reduce((sum, each) => sum + each, 0),
      shardCount,
    );
    assert.ok(Math.max(...owned) <= 13, `${owned}`);
    const homes = nodes.filter(({ host }) => host.share.has(target));
    assert.equal(homes.length, 1);
    await Promise.all(nodes.map((node) => node.close()));
    assert.equal((await readPlacement(store)).shards.size, 0);
  });
});
