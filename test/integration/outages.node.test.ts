/**
 * Networks that fail under real WebRTC, in a lab of network namespaces (`test/fixtures/network`), as root: routers lose what
 * nodes send each other, or all that leaves a host, so that nothing says that the network is gone. Ids are those of
 * `spec/transport.md` §14. A node that registers before its server answers, one that does so after it offers.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { delay } from "#async";
import type { NetworkEvent } from "../../src/node/network_event.ts";
import { betweenPeers, NetworkLab, whyNoLab } from "../fixtures/network/lab.ts";
import { LabNode } from "../fixtures/network/lab_node.ts";
import type { Outcome } from "../fixtures/network/orders.ts";
import { type LabRendezvous, startRendezvous } from "../fixtures/network/rendezvous.ts";
import type { RuntimeName } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";

const skip = (await whyNoLab()) ?? false;

/** For `lose` of a site: all that leaves its host or comes to it. */
const everything = "meta l4proto { tcp, udp }";

const cleanup: NetworkEvent = { kind: "cleanup", reason: "app_terminating" };
const forceReconnect: NetworkEvent = { kind: "reconnect", reason: "manual" };
const offline: NetworkEvent = { kind: "path", sequence: 1, availability: "unavailable" };
const wifi: NetworkEvent = { ...offline, availability: "available", transports: ["wifi"] };
const cellular: NetworkEvent = { ...wifi, transports: ["cellular"] };

const largeBytes = 200 * 1024;
const transportErrors = ["timed_out", "unavailable", "connection_not_ready"];

/** That calls failed in time for want of a connection, and that nothing of them is left. */
async function assertFailed(
  caller: LabNode,
  outcomes: readonly Outcome[],
  longestMs: number,
): Promise<void> {
  for (const { error = "none", tookMs } of outcomes) {
    assert.ok(transportErrors.includes(error), error);
    assert.ok(tookMs <= longestMs, `${tookMs} ms`);
  }
  assert.equal((await caller.order({ do: "look" })).pending, 0);
}

/** How often a node has held a fragment back. */
function heldBy(node: LabNode): number {
  return node.events.filter(({ kind }) => kind === "held").length;
}

/** How often a node has been told that a chunk of its own may be lost. */
function uncertain(node: LabNode): number {
  const errors = node.events.filter((event) => event.kind === "error");
  return errors.filter(({ category }) => category === "delivery_uncertain").length;
}

/** Restart offers that two nodes have sent each other. */
function restarts(one: LabNode, other: LabNode): number {
  return one.signalsOf(other, "restart") + other.signalsOf(one, "restart");
}

describe("nodes whose network fails", { timeout: 480_000, skip, concurrency: true }, () => {
  let lab: NetworkLab;
  let rendezvous: LabRendezvous;
  const nodes = new Map<string, LabNode>();

  async function start(name: string, site: number, runtime: RuntimeName): Promise<void> {
    const settings = { type: `test:${name}:1.0.0`, identity: rendezvous.identity };
    nodes.set(name, await LabNode.start(runtime, lab.site(site).host, settings));
  }

  function node(name: string): LabNode {
    const started = nodes.get(name);
    if (started === undefined) throw new TypeError(`no node ${name}`);
    return started;
  }

  /** Sites whose network fails more than once. */
  const groups = [2, 6, 7] as const;
  const startAll = (...each: readonly (readonly [string, number, RuntimeName])[]) =>
    Promise.all(each.map((settings) => start(...settings)));

  before(async () => {
    lab = await NetworkLab.open(...Array.from({ length: 7 }, () => ({ nat: "none" as const })));
    rendezvous = await startRendezvous(lab);
    // Nodes offer to those that registered before them.
    await startAll(
      ["late-answers", 3, "bun"],
      ...groups.map((site) => [`answers-${site}`, site, "deno"] as const),
    );
    await startAll(
      ["server-2", 1, "node"],
      ["server-6", 1, "deno"],
      ["server-7", 1, "bun"],
      ["late-server", 1, "node"],
    );
    await startAll(
      ...groups.map((site) => [`offers-${site}`, site, "bun"] as const),
      ["late-offers", 3, "deno"],
      ["untold", 3, "bun"],
      ["both-one", 1, "bun"],
      ["both-other", 4, "deno"],
      ["rebuilt", 5, "bun"],
    );
  });

  after(async () => {
    await Promise.all([...nodes.values()].map((each) => each.kill()));
    await rendezvous?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  /** A node that answers and one that offers, on one host, and the server of both. */
  function group(number: (typeof groups)[number]) {
    const mobiles = (): readonly [LabNode, LabNode] => [
      node(`answers-${number}`),
      node(`offers-${number}`),
    ];
    const server = (): LabNode => node(`server-${number}`);
    const each = <T>(act: (mobile: LabNode) => Promise<T>): Promise<T[]> =>
      Promise.all(mobiles().map(act));
    const reach = (limitMs: number): Promise<unknown> =>
      each((mobile) => mobile.reaches(server(), limitMs));
    return { mobiles, server, site: () => lab.site(number), each, reach };
  }

  describe("again and again", { concurrency: false }, () => {
    const { mobiles, server, site, each, reach } = group(2);
    afterEach(() => site().heal());

    it("[T-8] before the first call: that fails in time, and others succeed after a new start", async () => {
      await site().lose(betweenPeers);
      await each(async (mobile) => {
        await assertFailed(mobile, [await mobile.call(server(), { timeoutMs: 1_500 })], 5_000);
      });
      await site().heal();
      await each((mobile) => mobile.network(forceReconnect, wifi));
      await reach(25_000);
    });

    it("[T-46] [T-48] for 3 s: a call of 3 s ends within 5 s, not earlier, and others succeed within 30 s", async () => {
      await site().lose(everything);
      const calls = each(async (mobile) => {
        const outcome = await mobile.call(server(), { timeoutMs: 3_000 });
        await assertFailed(mobile, [outcome], 5_000);
        assert.ok(outcome.tookMs >= 2_990, `${outcome.tookMs} ms`);
      });
      await delay(3_000);
      await site().heal();
      await calls;
      await reach(30_000);
    });

    it("[T-82] an event that it is back restarts ICE within 1.5 s, one that it is gone ends signaling, and one after a cleanup makes a new connection", async () => {
      await site().lose(betweenPeers);
      const before = await each(async (mobile) => restarts(mobile, server()));
      const events = each((mobile) => mobile.network(wifi));
      const restarted = (): boolean =>
        mobiles().every((mobile, index) => restarts(mobile, server()) > (before[index] ?? 0));
      await until("both restart", restarted, 1_500);
      await events;
      await each((mobile) => mobile.network(offline));
      for (const { events: told } of mobiles()) {
        const last = told.findLast(({ kind }) => kind === "signaling");
        assert.deepEqual(last, { kind: "signaling", connected: false });
      }
      await site().heal();
      await each((mobile) => mobile.network(cleanup));
      await each((mobile) => mobile.network(wifi));
      for (const { equal } of await each((mobile) => mobile.call(server(), { timeoutMs: 10_000 })))
        assert.equal(equal, true);
    });

    for (const direction of ["to", "from"] as const) {
      it(`[T-70] c. in the middle of a call ${direction} its server: that times out, and its repetition succeeds`, async () => {
        const pairs = mobiles().map((mobile) =>
          direction === "to" ? ([mobile, server()] as const) : ([server(), mobile] as const),
        );
        const callers = [...new Set(pairs.map(([caller]) => caller))];
        const before = callers.map(heldBy);
        for (const caller of callers) await caller.order({ do: "hold", after: 0 });
        const calls = pairs.map(([caller, callee]) =>
          caller.call(callee, { bytes: largeBytes, timeoutMs: 2_000 }),
        );
        const held = (): number => callers.reduce((sum, caller) => sum + heldBy(caller), 0);
        const all = before.reduce((sum, each) => sum + each) + pairs.length;
        await until("all are held back", () => held() === all, 2_000);
        await site().lose(everything);
        await each((mobile) => mobile.network(offline));
        const outcomes = await Promise.all(calls);
        for (const { error } of outcomes) assert.equal(error, "timed_out");
        for (const caller of callers) await assertFailed(caller, outcomes, 5_000);
        await site().heal();
        for (const caller of callers) await caller.order({ do: "hold", after: null });
        await each((mobile) => mobile.network(forceReconnect, cellular));
        for (const [caller, callee] of pairs) {
          const { equal } = await caller.call(callee, { bytes: largeBytes, timeoutMs: 12_000 });
          assert.equal(equal, true);
        }
      });
    }
  });

  describe("for longer", { concurrency: false }, () => {
    const { mobiles, server, site, reach } = group(6);
    afterEach(() => site().heal());

    it("[T-45] until that is noticed: calls succeed within 20 s", async () => {
      await reach(20_000);
      await site().lose(betweenPeers);
      const isNoticed = (): boolean =>
        mobiles().every((mobile) => mobile.sessionWith(server())?.status === "recovering");
      await until("the loss is noticed", isNoticed, 12_000);
      await site().heal();
      await reach(20_000);
    });
  });

  describe("under an application that ends, and under a chunk", { concurrency: false }, () => {
    const { mobiles, server, site, each, reach } = group(7);
    afterEach(() => site().heal());

    it("[T-83] that ends with its application: the server's calls fail in time, and both reach each other once it is back, also when it came back too early", async () => {
      await reach(20_000);
      const reachBoth = (): Promise<unknown> =>
        each((mobile) =>
          Promise.all([mobile.reaches(server(), 30_000), server().reaches(mobile, 30_000)]),
        );
      await each((mobile) => mobile.network(cleanup));
      const calls = mobiles().map((mobile) => server().call(mobile, { timeoutMs: 1_000 }));
      await assertFailed(server(), await Promise.all(calls), 15_000);
      await each((mobile) => mobile.network(wifi));
      await reachBoth();
      await each((mobile) => mobile.network(cleanup));
      await site().lose(everything);
      await each(async (mobile) => {
        const { error, tookMs } = await mobile.network(wifi);
        assert.equal(error, "timed_out");
        assert.ok(tookMs <= 6_000, `${tookMs} ms`);
        await assertFailed(mobile, [await mobile.call(server(), { timeoutMs: 1_000 })], 3_000);
      });
      await site().heal();
      await each((mobile) => mobile.network(wifi));
      await reachBoth();
    });

    it("[T-72] under a chunk on its way: the send fails in time, or is told to be uncertain, and calls succeed within 25 s", async () => {
      const [holding, sending] = mobiles();
      const before = heldBy(holding);
      await holding.order({ do: "hold", after: 0 });
      await site().lose(everything);
      const chunks = each((mobile) =>
        mobile.order({ do: "chunk", target: server().id, bytes: largeBytes }),
      );
      await until("it is on its way", () => heldBy(holding) > before, 2_000);
      await each((mobile) => mobile.network(offline));
      await site().heal();
      await each((mobile) => mobile.network(forceReconnect, wifi));
      const [held, sent] = await chunks;
      assert.ok(held !== undefined && sent !== undefined);
      await assertFailed(holding, [held], 20_000);
      assert.equal(sent.error, undefined);
      await until("it is told to be uncertain", () => uncertain(sending) === 1, 5_000);
      await holding.order({ do: "hold", after: null });
      await reach(25_000);
    });
  });

  describe("for 8 s", { concurrency: true }, () => {
    const late = (): LabNode => node("late-server");

    before(async () => {
      const pairs = ["late-answers", "late-offers", "untold"].map((name) => [node(name), late()]);
      for (const [caller, callee] of [...pairs, [node("both-other"), node("both-one")]]) {
        assert.ok(caller !== undefined && callee !== undefined);
        assert.equal((await caller.call(callee)).equal, true);
      }
      const sites = [lab.site(3), lab.site(4)];
      for (const site of sites) await site.lose(everything);
      await delay(8_000);
      for (const site of sites) await site.heal();
    });

    for (const name of ["late-answers", "late-offers"] as const) {
      const role = name === "late-answers" ? "answered" : "offered";
      it(`[T-30] [T-46] and the side that ${role} is told of the end: calls succeed within 30 s`, async () => {
        await node(name).network(wifi);
        await node(name).reaches(late(), 30_000);
      });
    }

    // A lost TCP segment is sent again ever later, so that signaling may be back only well after the network is.
    it("and nobody is told of the end: calls succeed within 30 s", async () => {
      await node("untold").reaches(late(), 30_000);
    });

    it("[T-31] and both sides are told of the end: at most three more offers, and calls succeed within 20 s", async () => {
      const [one, other] = [node("both-one"), node("both-other")];
      const before = restarts(one, other);
      await Promise.all([
        ...[one, other].map((each) => each.network(wifi)),
        ...[one.reaches(other, 20_000), other.reaches(one, 20_000)],
      ]);
      assert.ok(restarts(one, other) <= before + 3);
    });
  });

  it("[T-41] for 10 s, and the connection is replaced: what ends of the old one harms no message on the new one", async () => {
    const [mobile, server] = [node("rebuilt"), node("late-server")];
    assert.equal((await mobile.call(server)).equal, true);
    await lab.site(5).lose(everything);
    await delay(10_000);
    await lab.site(5).heal();
    await mobile.network(forceReconnect, wifi);
    await mobile.reaches(server, 10_000);
    const told = mobile.events.length;
    for (let message = 0; message < 4; message++) {
      if (message > 0) await delay(2_000);
      assert.equal((await mobile.call(server, { timeoutMs: 10_000 })).equal, true);
    }
    assert.deepEqual(mobile.events.slice(told), []);
    assert.equal(server.sessionWith(mobile)?.status, "connected");
  });
});
