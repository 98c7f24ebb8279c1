import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { Kinds } from "../../../src/host/kinds.ts";
import { FencedStore } from "../../../src/host/placement/fenced_store.ts";
import { KnownOwners } from "../../../src/host/placement/known_owners.ts";
import { Placement } from "../../../src/host/placement/placement.ts";
import { leaving, readPlacement } from "../../../src/host/placement/rows.ts";
import { shardCount } from "../../../src/host/placement/shards.ts";
import { Share } from "../../../src/host/placement/share.ts";
import type { StoreChange } from "../../../src/ports/store.ts";
import { encodeCbor } from "../../../src/protocol/cbor/encode.ts";
import { failureOf, recorder } from "./support.ts";

/** A store at which somebody else is quicker: `before` runs ahead of the next commit that it picks. */
class RacedStore extends MemoryStore {
  picks: (changes: readonly StoreChange[]) => boolean = () => false;
  before: () => Promise<void> = async () => {};

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    if (this.picks(changes)) {
      this.picks = () => false;
      await this.before();
    }
    await super.commit(changes);
  }
}

function placementOn(
  store: MemoryStore,
  name: string,
  release: (shard: number) => Promise<void> = async () => {},
): { placement: Placement; clock: FakeClock } {
  const clock = new FakeClock();
  const owner = { gained: () => {}, release, lost: () => {} };
  const parts = { clock, log: recorder([]), store, node: () => `${name}@1/a:B:1.0.0`, owner };
  return { placement: new Placement(parts, { leaseMs: 15_000 }), clock };
}

/** Declares every member dead. */
async function buryAll(store: MemoryStore): Promise<void> {
  const { members } = await readPlacement(store);
  for (const { number, lease } of members.values()) await store.commit(leaving(number, lease));
}

type RecordChange = Extract<StoreChange, { readonly kind: "record.put" | "record.delete" }>;

const deletesShard = (change: StoreChange): change is RecordChange =>
  change.kind === "record.delete" && change.key.startsWith("shard:");
const putsShard = (change: StoreChange): boolean =>
  change.kind === "record.put" && change.key.startsWith("shard:");

describe("a member that was declared dead a moment ago", () => {
  it("takes no shard any more", async () => {
    const store = new RacedStore();
    const { placement } = placementOn(store, "1");
    store.picks = (changes) => changes.some(putsShard);
    store.before = () => buryAll(store);
    await placement.start();
    assert.equal(placement.owned, 0);
    assert.equal((await readPlacement(store)).shards.size, 0);
    placement.abandon();
  });

  it("gives up no shard that is another's by then", async () => {
    const store = new RacedStore();
    const one = placementOn(store, "1");
    await one.placement.start();
    assert.equal(one.placement.owned, shardCount);
    const two = placementOn(store, "2");
    await two.placement.start();
    let given = "";
    store.picks = (changes) => {
      given = changes.find(deletesShard)?.key ?? "";
      return given !== "";
    };
    const taker = encodeCbor(99);
    store.before = async () => {
      await buryAll(store);
      await store.commit([{ kind: "record.put", space: "placement", key: given, value: taker }]);
    };
    await one.placement.look();
    await one.clock.settle();
    assert.match(given, /^shard:/);
    assert.deepEqual(await store.record("placement", given), taker);
    one.placement.abandon();
    two.placement.abandon();
  });
});

describe("shards that others are to have", () => {
  it("are given up once each, however long their actors take to sleep", async () => {
    const store = new MemoryStore();
    const asked: number[] = [];
    const one = placementOn(store, "1", (shard) => {
      asked.push(shard);
      return new Promise(() => {});
    });
    await one.placement.start();
    const others = ["2", "3"].map((name) => placementOn(store, name));
    for (const { placement } of others) {
      await placement.start();
      await one.placement.look();
    }
    const fair = Math.ceil(shardCount / 3);
    assert.deepEqual([asked.length, new Set(asked).size], [shardCount - fair, shardCount - fair]);
    for (const { placement } of [one, ...others]) placement.abandon();
  });

  it("are given up again where it is not known whether they were", async () => {
    const store = new RacedStore();
    const one = placementOn(store, "1");
    await one.placement.start();
    const two = placementOn(store, "2");
    await two.placement.start();
    store.picks = (changes) => changes.some(deletesShard);
    store.before = async () => {
      throw new ActrError("storage", "no answer");
    };
    await one.placement.look();
    await one.clock.settle();
    assert.equal(one.placement.owned, shardCount / 2 + 1);
    await one.placement.look();
    await one.clock.settle();
    assert.equal(one.placement.owned, shardCount / 2);
    for (const { placement } of [one, two]) placement.abandon();
  });
});

describe("what is known of other nodes", () => {
  it("is of no use once a node is gone, though its shards are nobody else's yet", async () => {
    const store = new MemoryStore();
    const { placement } = placementOn(store, "1");
    await placement.start();
    const known = new KnownOwners(store);
    assert.equal(known.whereIs(0), undefined);
    await known.read();
    const place = known.whereIs(0);
    assert.deepEqual([place?.node, place?.moved.aborted], ["1@1/a:B:1.0.0", false]);
    await known.read();
    assert.equal(known.whereIs(0)?.moved, place?.moved);
    await buryAll(store);
    await known.read();
    assert.deepEqual([place?.moved.aborted, known.whereIs(0)], [true, undefined]);
    placement.abandon();
  });
});

describe("a fenced store", () => {
  it("writes while its fence holds, and nothing after, whichever way", async () => {
    const store = new MemoryStore();
    const value = Uint8Array.of(1);
    const put = (space: string, key: string): StoreChange => ({
      ...{ kind: "record.put", space, key, value },
    });
    const own = new FencedStore(store, { kind: "record.expect", space: "f", key: "f", value });
    const submitted = (key: string): Promise<unknown> =>
      new Promise((resolve) => own.submit([put("s", key)], resolve));
    await store.commit([put("f", "f")]);
    await own.commit([put("s", "1")]);
    assert.equal(await submitted("2"), undefined);
    await store.commit([{ kind: "record.delete", space: "f", key: "f" }]);
    assert.equal((await failureOf(own.commit([put("s", "3")]))).code, "lease_lost");
    assert.equal(ActrError.from(await submitted("4")).code, "lease_lost");
    const kept = await store.records("s", "", 10);
    assert.deepEqual(
      kept.map(({ key }) => key),
      ["1", "2"],
    );
  });
});

describe("a node's share of the actors", () => {
  it("is all of them where it has its store alone; then nobody may pass calls on to it", () => {
    const share = new Share(undefined);
    assert.ok(share.has({ id: "x" }));
    assert.equal(share.refusalOf("2@1/a:B:1.0.0")?.code, "permission_denied");
  });

  it("is open to calls that other members pass on, and not to those of anybody else", async () => {
    const store = new MemoryStore();
    const [one, two] = [placementOn(store, "1"), placementOn(store, "2")];
    for (const { placement } of [one, two, one]) await placement.look();
    const share = new Share(one.placement);
    assert.equal(share.refusalOf("2@1/a:B:1.0.0"), undefined);
    const refusal = share.refusalOf("3@1/a:B:1.0.0");
    assert.deepEqual([refusal?.code, refusal?.retryable], ["actor.moved", true]);
    one.placement.abandon();
    two.placement.abandon();
  });
});

describe("a message for an actor", () => {
  it("has room up to the limit of its kind, and not a byte more", () => {
    const kinds = new Kinds({ small: actor({ actions: {}, options: { maxIncomingBytes: 10 } }) });
    const target = { name: "small", key: ["a"] };
    kinds.requireRoom(target, 10);
    assert.throws(() => kinds.requireRoom(target, 11), {
      code: "message.incoming_too_long",
      details: { bytes: 11, limit: 10 },
    });
  });
});
