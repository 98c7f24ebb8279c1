import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ActrId, formatActrType, peerKey } from "../../../src/protocol/ids.ts";
import {
  create,
  DiscoveryRequestSchema,
  RouteCandidatesRequestSchema,
} from "../../../src/protocol/schema.ts";
import {
  Directory,
  type LoadReport,
  type Member,
} from "../../../src/rendezvous/discovery/directory.ts";
import { Discovery } from "../../../src/rendezvous/discovery/discovery.ts";
import { resolveRendezvousOptions } from "../../../src/rendezvous/options.ts";
import { Presence } from "../../../src/rendezvous/presence.ts";
import { TokenBucket } from "../../../src/token_bucket.ts";

class Node implements Member {
  readonly id: ActrId;
  readonly key: string;
  readonly type: string;
  readonly profile = {};
  readonly rules = undefined;
  load: LoadReport | undefined;
  heardAt = 0;
  constructor(serial: number, name = "echo", manufacturer = "acme") {
    this.id = { realm: 1, serial: BigInt(serial), type: { manufacturer, name, version: "1.0.0" } };
    this.key = peerKey(this.id);
    this.type = formatActrType(this.id.type);
  }
}

function serials(nodes: readonly Node[]): bigint[] {
  return nodes.map((node) => node.id.serial);
}

describe("Directory", () => {
  it("keeps the newest of one identity and says which it replaced", () => {
    const directory = new Directory<Node>();
    const [older, newer] = [new Node(1), new Node(1)];
    assert.equal(directory.add(older), undefined);
    assert.equal(directory.add(newer), older);
    assert.equal(directory.has(older), false);
    assert.equal(directory.remove(older), false);
    assert.deepEqual([...directory.ofType(newer.type)], [newer]);
    assert.equal(directory.remove(newer), true);
    assert.deepEqual([...directory.types()], []);
    assert.equal(directory.size, 0);
  });

  it("lists the types that are there now, in order", () => {
    const directory = new Directory<Node>();
    const [b, a, again] = [new Node(1, "b"), new Node(2, "a"), new Node(3, "a")];
    directory.add(b);
    assert.deepEqual(directory.types(), [b.type]);
    directory.add(a);
    directory.add(again);
    assert.deepEqual(directory.types(), [a.type, b.type]);
    directory.remove(a);
    assert.deepEqual(directory.types(), [a.type, b.type]);
    directory.remove(again);
    assert.deepEqual(directory.types(), [b.type]);
  });
});

describe("Presence", () => {
  it("ends subscriptions with the member, and bounds them", () => {
    const presence = new Presence<Node>(2);
    const node = new Node(1);
    assert.equal(presence.subscribe(node, "a"), "added");
    assert.equal(presence.subscribe(node, "b"), "added");
    assert.equal(presence.subscribe(node, "c"), "full");
    assert.equal(presence.subscribe(node, "a"), "known");
    presence.unsubscribe(node, "b");
    assert.equal(presence.subscribe(node, "c"), "added");
    assert.deepEqual([...presence.subscribers("c")], [node]);
    presence.drop(node);
    assert.deepEqual([...presence.subscribers("a"), ...presence.subscribers("c")], []);
  });
});

describe("Discovery", () => {
  const asker = new Node(99, "caller");
  const rules = { withoutRules: "allow", inUse: () => true, expiryMs: 60_000 } as const;
  const anyone = create(RouteCandidatesRequestSchema, { clientFingerprint: "" });
  const byPower = create(RouteCandidatesRequestSchema, {
    clientFingerprint: "",
    criteria: { candidateCount: 9, rankingFactors: [0] },
  });

  function discovery(...nodes: Node[]): Discovery<Node> {
    const directory = new Directory<Node>();
    for (const node of nodes) directory.add(node);
    return new Discovery(directory, rules);
  }

  it("excludes the asker and takes turns among the others", () => {
    const [a, b, self] = [new Node(1), new Node(2), new Node(3)];
    const found = discovery(a, self, b);
    const first = [0, 1, 2, 3].map(() => found.candidates(self, a.type, anyone, 0)[0]);
    assert.deepEqual(first, [a, b, a, b]);
  });

  it("forgets nodes after silence, and reports before that only when they are old", () => {
    const [strong, weak] = [new Node(1), new Node(2)];
    strong.load = { availability: 0, powerReserve: 5, backlog: 0, at: 0 };
    weak.load = { availability: 0, powerReserve: 1, backlog: 0, at: 30_000 };
    strong.heardAt = weak.heardAt = 30_000;
    const found = discovery(strong, weak);
    const at = (now: number): bigint[] => serials(found.candidates(asker, weak.type, byPower, now));
    assert.deepEqual(at(60_000), [1n, 2n]);
    assert.deepEqual(at(60_001), [2n, 1n]);
    assert.deepEqual(at(90_001), []);
  });

  it("lists types in order, by manufacturer, up to a limit", () => {
    const nodes = [new Node(1, "b"), new Node(2, "a"), new Node(3, "a"), new Node(4, "a", "zeta")];
    const found = discovery(...nodes);
    const list = (fields: { manufacturer?: string; limit?: number }): bigint[] =>
      serials(found.types(asker, create(DiscoveryRequestSchema, fields), 0));
    assert.deepEqual(list({}), [2n, 1n, 4n]);
    assert.deepEqual(list({ manufacturer: "zeta" }), [4n]);
    assert.deepEqual(list({ limit: 1 }), [2n]);
  });
});

describe("TokenBucket", () => {
  it("lets a burst through, then its rate", () => {
    const bucket = new TokenBucket(2, 10, 0);
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [true, true, false]);
    assert.deepEqual([bucket.take(99), bucket.take(100), bucket.take(100)], [false, true, false]);
    assert.deepEqual([bucket.take(9e9), bucket.take(9e9), bucket.take(9e9)], [true, true, false]);
  });
});

describe("resolveRendezvousOptions", () => {
  it("fills in defaults and keeps what is given", () => {
    const options = resolveRendezvousOptions({ worker: 3, limits: { maxConnections: 7 } });
    assert.equal(options.worker, 3);
    assert.equal(options.limits.maxConnections, 7);
    assert.equal(options.limits.maxBodyBytes, 2 * 1024 * 1024);
    assert.equal(options.credentialTtlMs, 3_600_000);
  });

  it("makes times follow from others", () => {
    const followed = resolveRendezvousOptions({
      credentialTtlMs: 5,
      heartbeatIntervalMs: 45_000,
      pingIntervalMs: 4_000,
    });
    assert.equal(followed.keyToleranceMs, 10);
    assert.equal(followed.entryExpiryMs, 90_000);
    assert.equal(followed.silenceMs, 8_000);
    assert.equal(resolveRendezvousOptions({ heartbeatIntervalMs: 1_000 }).entryExpiryMs, 60_000);
  });

  it("refuses what cannot work", () => {
    const refuses = (options: Parameters<typeof resolveRendezvousOptions>[0]): void =>
      assert.throws(() => resolveRendezvousOptions(options), RangeError);
    refuses({ worker: 32 });
    refuses({ realms: [{ id: -1 }] });
    refuses({ realms: [{ id: 1, secret: "" }] });
    refuses({ realms: [{ id: 1, secret: "a " }] });
    refuses({ turnSecret: "" });
    refuses({ credentialTtlMs: 0 });
    refuses({ realms: [{ id: 1, previousSecret: "a" }] });
    refuses({ realms: [{ id: 1, secret: "a", previousSecret: "" }] });
    refuses({ keyToleranceMs: 3_599_999 });
    refuses({ credentialTtlMs: 7_200_001, keyToleranceMs: 7_200_000 });
    refuses({ heartbeatIntervalMs: 999 });
    refuses({ heartbeatIntervalMs: 40_000, entryExpiryMs: 40_000 });
    refuses({ pingIntervalMs: 30_000, silenceMs: 30_000 });
    refuses({ iceUrls: ["http://turn.example"] });
    refuses({ limits: { maxConnections: Number.NaN } });
  });
});
