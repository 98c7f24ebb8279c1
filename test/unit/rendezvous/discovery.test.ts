import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aclMessage } from "../../../src/protocol/acl_message.ts";
import { fromActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import {
  create,
  RouteCandidatesRequest_NodeSelectionCriteria_NodeRankingFactor as NodeRankingFactor,
  type ServiceAvailabilityState,
  type ServiceSpec,
  ServiceSpecSchema,
} from "../../../src/protocol/schema.ts";
import { Bench, type Joined } from "./bench.ts";

/** Fields of a RouteCandidatesRequest. */
interface Looking {
  readonly clientFingerprint?: string;
  readonly clientLocation?: { readonly latitude: number; readonly longitude: number };
  readonly criteria?: {
    readonly candidateCount: number;
    readonly rankingFactors?: NodeRankingFactor[];
    readonly minimalHealthRequirement?: ServiceAvailabilityState;
  };
}

/** Fields of a Ping. */
interface Report {
  readonly availability?: ServiceAvailabilityState;
  readonly powerReserve?: number;
  readonly mailboxBacklog?: number;
  readonly stickyClientIds?: string[];
}

const echo = "acme:echo:1.0.0";
const client = "acme:client:0.1.0";

interface Found {
  readonly serials: readonly bigint[];
  readonly addresses: readonly (readonly [bigint, string | undefined])[];
}

function look(from: Joined, looking: Looking = {}): Found {
  const fields = { targetType: parseActrType(echo), clientFingerprint: "", ...looking };
  const answer = from.ask({ case: "routeCandidatesRequest", value: fields });
  assert.equal(answer.case, "routeCandidatesResponse");
  assert.equal(answer.value.result.case, "success");
  const { candidates, wsAddressMap } = answer.value.result.value;
  return {
    serials: candidates.map((each) => fromActrIdMessage(each).serial),
    addresses: wsAddressMap.map((each) => [
      fromActrIdMessage(each.candidateId).serial,
      Object.hasOwn(each, "wsAddress") ? each.wsAddress : undefined,
    ]),
  };
}

/** The one that is named to who asks as real clients do: for one, by nothing. */
function one(from: Joined): bigint | undefined {
  return look(from, { criteria: { candidateCount: 1 } }).serials[0];
}

function by(...rankingFactors: NodeRankingFactor[]): Looking {
  return { criteria: { candidateCount: 9, rankingFactors } };
}

function report(node: Joined, fields: Report): void {
  const idle = { availability: 3, powerReserve: 0.2, mailboxBacklog: 0 } as const;
  node.request({ case: "ping", value: { ...idle, ...fields } });
}

function spec(fingerprint: string, told: Partial<ServiceSpec> = {}): ServiceSpec {
  return Object.assign(create(ServiceSpecSchema, { name: "Echo", fingerprint }), told);
}

describe("route candidates", () => {
  it("are all of exactly one type, with their addresses in the same order", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1, { wsAddress: "ws://a/ws" });
    await bench.join(2);
    await bench.join(3, { type: "acme:echo:1.0.1" });
    await bench.join(4, { type: "acme:echoes:1.0.0" });
    const { serials, addresses } = look(asker);
    assert.deepEqual(serials, [1n, 2n]);
    assert.deepEqual(addresses, [
      [1n, "ws://a/ws"],
      [2n, undefined],
    ]);
  });

  it("of a type that nobody has are none, with success", async () => {
    const bench = await Bench.open();
    assert.deepEqual(look(await bench.join(9, { type: client })).serials, []);
  });

  it("never include who asks", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(1);
    assert.deepEqual(look(asker).serials, []);
    await bench.join(2);
    assert.deepEqual(look(asker).serials, [2n]);
  });

  it("are those whose rules admit who asks", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const allow = { permission: "allow", type: client } as const;
    const deny = { permission: "deny", type: client } as const;
    await bench.join(1, { acl: aclMessage([]) });
    await bench.join(2, { acl: aclMessage([allow]) });
    await bench.join(3, { acl: aclMessage([allow, deny]) });
    await bench.join(4, { acl: aclMessage([{ ...allow, realm: 2 }]) });
    await bench.join(5, { realm: 2, acl: aclMessage([{ ...allow, realm: 1 }]) });
    await bench.join(6, { realm: 2 });
    assert.deepEqual(look(asker).serials, [2n, 5n]);
  });

  it("are of realms that are in use", async () => {
    const bench = await Bench.open({ realms: [{ id: 1 }] });
    await bench.ais.realms.create({ id: 2, name: "two" });
    const asker = await bench.join(9, { type: client });
    await bench.join(1);
    await bench.join(2, { realm: 2, acl: aclMessage([{ permission: "allow", type: client }]) });
    assert.deepEqual(look(asker).serials.toSorted(), [1n, 2n]);
    await bench.ais.realms.setEnabled(2, false);
    assert.deepEqual(look(asker).serials, [1n]);
  });

  it("are those that were heard of in the last minute", async () => {
    const bench = await Bench.open({ pingIntervalMs: 3_600_000 });
    const quiet = await bench.join(1);
    await bench.join(2);
    const asker = await bench.join(9, { type: client });
    await bench.clock.advance(30_000);
    report(quiet, {});
    await bench.clock.advance(30_001);
    assert.deepEqual(look(asker).serials, [1n]);
  });

  it("that call themselves unavailable are named, unless health is demanded", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const [idle, healthy] = [await bench.join(1), await bench.join(2)];
    report(idle, { availability: 3 });
    report(healthy, { availability: 0 });
    assert.deepEqual(look(asker).serials.toSorted(), [1n, 2n]);
    const demanding = { criteria: { candidateCount: 9, minimalHealthRequirement: 1 } } as const;
    assert.deepEqual(look(asker, demanding).serials, [2n]);
  });

  it("that are alike take turns", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    for (const serial of [1, 2, 3]) await bench.join(serial);
    const named = [1, 2, 3, 4].map(() => one(asker));
    assert.deepEqual(named, [1n, 2n, 3n, 1n]);
  });

  it("whose mailboxes fill up stand back until they have room again", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const [full, free] = [await bench.join(1), await bench.join(2)];
    report(full, { mailboxBacklog: 0.6 });
    report(free, { mailboxBacklog: 0.1 });
    assert.deepEqual([one(asker), one(asker)], [2n, 2n]);
    report(full, { mailboxBacklog: 0.2 });
    assert.deepEqual([one(asker), one(asker)].toSorted(), [1n, 2n]);
  });

  it("that offer just what the asker was built for come first", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1, { spec: spec("service_semantic:old") });
    await bench.join(2, { spec: spec("service_semantic:new") });
    const built = { clientFingerprint: "service_semantic:new" };
    for (let count = 0; count < 2; count++) assert.deepEqual(look(asker, built).serials, [2n, 1n]);
  });

  it("are ranked by power, backlog and whom they want to go on serving", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const [one, two, three] = [await bench.join(1), await bench.join(2), await bench.join(3)];
    report(one, { powerReserve: 1, mailboxBacklog: 0.2 });
    report(two, { powerReserve: 5, mailboxBacklog: 0.1 });
    report(three, { powerReserve: 3, mailboxBacklog: 0, stickyClientIds: [`9@1/${client}`] });
    assert.deepEqual(look(asker, by(NodeRankingFactor.MAXIMUM_POWER_RESERVE)).serials, [
      2n,
      3n,
      1n,
    ]);
    assert.deepEqual(look(asker, by(NodeRankingFactor.MINIMUM_MAILBOX_BACKLOG)).serials, [
      3n,
      2n,
      1n,
    ]);
    const affinity = by(NodeRankingFactor.CLIENT_AFFINITY, NodeRankingFactor.MAXIMUM_POWER_RESERVE);
    assert.deepEqual(look(asker, affinity).serials, [3n, 2n, 1n]);
  });

  it("are ranked by how near they are to who asks, as far as they ever said where they are", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const places = [
      [1, { latitude: 22.5431, longitude: 114.0579 }],
      [2, { latitude: 31.2304, longitude: 121.4737 }],
      [3, { latitude: Number.NaN, longitude: 1 }],
      [4, { latitude: 39.9, longitude: 116.4 }],
    ] as const;
    for (const [serial, clientLocation] of places)
      look(await bench.join(serial), { clientLocation });
    const clientLocation = { latitude: 39.9042, longitude: 116.4074 };
    for (let turn = 0; turn < 4; turn++) {
      const { serials } = look(asker, { clientLocation, ...by(NodeRankingFactor.NEAREST) });
      assert.deepEqual(serials, [4n, 2n, 1n, 3n]);
    }
  });

  it("are cut to the count that is asked for", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    for (const serial of [1, 2, 3]) await bench.join(serial);
    const count = (candidateCount: number): number =>
      look(asker, { criteria: { candidateCount } }).serials.length;
    assert.deepEqual([0, 1, 2, 9].map(count), [0, 1, 2, 3]);
  });

  it("that report no numbers count as the worst", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const [odd, fine] = [await bench.join(1), await bench.join(2)];
    report(fine, { powerReserve: 0.1, mailboxBacklog: 0.9 });
    const oddities = [
      { powerReserve: Number.NaN, mailboxBacklog: Number.NaN },
      { powerReserve: Number.POSITIVE_INFINITY, mailboxBacklog: Number.POSITIVE_INFINITY },
      { powerReserve: -1, mailboxBacklog: 7 },
    ];
    for (const fields of oddities) {
      report(odd, fields);
      const { MAXIMUM_POWER_RESERVE, MINIMUM_MAILBOX_BACKLOG } = NodeRankingFactor;
      for (const factor of [MAXIMUM_POWER_RESERVE, MINIMUM_MAILBOX_BACKLOG]) {
        assert.deepEqual(look(asker, by(factor)).serials, [2n, 1n]);
        assert.deepEqual(look(asker, by(factor)).serials, [2n, 1n]);
      }
    }
  });

  it("with less than nothing in their mailboxes have nothing in them", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const [odd, fine] = [await bench.join(1), await bench.join(2)];
    report(odd, { powerReserve: 1, mailboxBacklog: -7 });
    report(fine, { powerReserve: 5, mailboxBacklog: 0 });
    const { MINIMUM_MAILBOX_BACKLOG, MAXIMUM_POWER_RESERVE } = NodeRankingFactor;
    const { serials } = look(asker, by(MINIMUM_MAILBOX_BACKLOG, MAXIMUM_POWER_RESERVE));
    assert.deepEqual(serials, [2n, 1n]);
  });
});

describe("the list of types", () => {
  function list(from: Joined, fields: { manufacturer?: string; limit?: number } = {}): string[] {
    const answer = from.ask({ case: "discoveryRequest", value: fields });
    assert.equal(answer.case, "discoveryResponse");
    assert.equal(answer.value.result.case, "success");
    return answer.value.result.value.entries.map(({ name, actrType, serviceFingerprint }) =>
      `${name}:${actrType?.version} ${serviceFingerprint}`.trim(),
    );
  }

  it("has one entry for each type that admits who asks, in order", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1, { type: "zeta:b:1.0.0" });
    await bench.join(2);
    await bench.join(3);
    await bench.join(4, { type: "acme:hidden:1.0.0", acl: aclMessage([]) });
    await bench.join(5, { type: "acme:echo:2.0.0" });
    assert.deepEqual(list(asker), ["acme:echo:1.0.0", "acme:echo:2.0.0", "zeta:b:1.0.0"]);
    assert.deepEqual(list(asker, { manufacturer: "zeta" }), ["zeta:b:1.0.0"]);
    assert.deepEqual(list(asker, { manufacturer: "zet" }), []);
    assert.deepEqual(list(asker, { limit: 1 }), ["acme:echo:1.0.0"]);
    assert.deepEqual(list(asker, { limit: 0 }), []);
  });

  it("has 64 entries at most, where nothing else is asked for", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(99, { type: client });
    for (let each = 1; each <= 65; each++) await bench.join(each, { type: `acme:n${each}:1.0.0` });
    assert.equal(list(asker).length, 64);
    assert.equal(list(asker, { limit: 100 }).length, 65);
  });

  it("describes a type by an instance that has a description", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1);
    await bench.join(2, {
      spec: spec("fp", { description: "says it", publishedAt: 7n, tags: ["a"] }),
    });
    const answer = asker.ask({ case: "discoveryRequest", value: {} });
    assert.equal(answer.case, "discoveryResponse");
    assert.equal(answer.value.result.case, "success");
    const [entry] = answer.value.result.value.entries;
    assert.equal(entry?.serviceFingerprint, "fp");
    assert.equal(entry.description, "says it");
    assert.equal(entry.publishedAt, 7n);
    assert.deepEqual(entry.tags, ["a"]);
  });
});

describe("a service's description", () => {
  function fingerprint(from: Joined, name: string): string | number {
    const answer = from.ask({ case: "getServiceSpecRequest", value: { name } });
    assert.equal(answer.case, "getServiceSpecResponse");
    const { result } = answer.value;
    if (result.case === "success") return result.value.fingerprint;
    assert.equal(result.case, "error");
    return result.value.code;
  }

  it("is found by its name, where the node that has it admits who asks", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1, { spec: spec("hidden"), acl: aclMessage([]) });
    await bench.join(2, { spec: spec("elsewhere"), realm: 2 });
    assert.equal(fingerprint(asker, "Echo"), 404);
    await bench.join(3, { spec: spec("shown") });
    assert.equal(fingerprint(asker, "Echo"), "shown");
    assert.equal(fingerprint(asker, "echo"), 404);
  });
});
