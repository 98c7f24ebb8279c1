/**
 * Paths that WebRTC finds between hosts behind NATs, with a coturn for STUN and TURN whose logins our own rendezvous hands
 * out. It runs as root in a lab of network namespaces (`test/fixtures/network`): each host has a router before it that
 * translates addresses as nftables does, and signaling and coturn are on a public host that all of them reach.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { IceOptions } from "../../transports/webrtc/webrtc_options.ts";
import { type Coturn, startCoturn } from "../fixtures/network/coturn.ts";
import { betweenPeers, NetworkLab, publicAddress, whyNoLab } from "../fixtures/network/lab.ts";
import { LabNode } from "../fixtures/network/lab_node.ts";
import type { Outcome } from "../fixtures/network/orders.ts";
import { type LabRendezvous, startRendezvous } from "../fixtures/network/rendezvous.ts";
import { type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";

const skip = (await whyNoLab()) ?? false;
const turnSecret = "known to the rendezvous and to coturn";

/** That a call was answered, on a connection of which both sides know whether a relay carries it. */
function assertAnswered(outcome: Outcome, pair: readonly [LabNode, LabNode], relayed: boolean) {
  const [one, other] = pair;
  assert.deepEqual([outcome.error, outcome.equal], [undefined, true]);
  assert.equal(one.sessionWith(other)?.relayed, relayed);
  assert.equal(other.sessionWith(one)?.relayed, relayed);
}

describe("hosts behind NATs", { timeout: 480_000, skip, concurrency: true }, () => {
  let lab: NetworkLab;
  let coturn: Coturn;
  let rendezvous: LabRendezvous;
  const started: LabNode[] = [];

  async function start(
    site: number,
    ice: Partial<IceOptions> = {},
    { runtime = "bun" as RuntimeName, identity = rendezvous.identity } = {},
  ): Promise<LabNode> {
    const settings = { type: `test:Site${site}-${runtime}:1.0.0`, identity, ice };
    const node = await LabNode.start(runtime, lab.site(site).host, settings);
    started.push(node);
    return node;
  }

  /** By runtime, where only a relay is left: the first register before the others, and so answer them. */
  const [answering, offering] = [new Map<RuntimeName, LabNode>(), new Map<RuntimeName, LabNode>()];

  async function startAll(nodes: Map<RuntimeName, LabNode>, site: number): Promise<void> {
    const starts = runtimeNames.map(async (runtime) => {
      nodes.set(runtime, await start(site, { turnUrls: [coturn.turnUrl] }, { runtime }));
    });
    await Promise.all(starts);
  }

  before(async () => {
    lab = await NetworkLab.open(
      { nat: "symmetric" },
      { nat: "symmetric" },
      { nat: "cone" },
      { nat: "cone" },
      { nat: "symmetric", ipv6: true },
      { nat: "symmetric", ipv6: true },
      { nat: "symmetric" },
      { nat: "none" },
      { nat: "none" },
    );
    [coturn, rendezvous] = await Promise.all([
      startCoturn(lab.segment, turnSecret),
      startRendezvous(lab, { turnSecret }),
    ]);
    await startAll(answering, 1);
    await startAll(offering, 2);
  });

  after(async () => {
    await Promise.all(started.map((each) => each.kill()));
    for (const each of [rendezvous, coturn, lab]) await each?.[Symbol.asyncDispose]();
  });

  describe("that leave nothing but a relay", { concurrency: false }, () => {
    describe("on every runtime", { concurrency: true }, () => {
      for (const [row, one] of runtimeNames.entries()) {
        for (const [column, other] of runtimeNames.entries()) {
          const offererCalls = (row + column) % 2 === 0;
          const [caller, callee] = offererCalls ? [other, one] : [one, other];
          it(`${caller} calls ${callee}, ${offererCalls ? "and" : "which"} offers`, async () => {
            const pair = [answering.get(one) as LabNode, offering.get(other) as LabNode] as const;
            const [answers, offers] = pair;
            const [from, to] = offererCalls ? [offers, answers] : pair;
            assertAnswered(await from.call(to, { bytes: 100_000 }), pair, true);
            assert.equal(answers.signalsOf(offers, "offer"), 1);
          });
        }
      }
    });

    it("no call is left", async () => {
      for (const each of [...answering.values(), ...offering.values()])
        assert.equal((await each.order({ do: "look" })).pending, 0);
    });

    it("coturn knows each node by the login that the rendezvous has issued it", () => {
      for (const { id } of [...answering.values(), ...offering.values()])
        assert.match(coturn.log, new RegExp(`new, .*username=<\\d+:${id}>`));
    });
  });

  it("a login that was made with another secret is worth nothing: calls fail in time", async () => {
    await using stranger = await startRendezvous(lab, { turnSecret: "unknown to coturn" });
    const ice = { turnUrls: [coturn.turnUrl] };
    const { identity } = stranger;
    const ends = [start(1, ice, { identity }), start(2, ice, { identity })] as const;
    const [one, other] = await Promise.all(ends);
    const { error = "none", tookMs, pending } = await one.call(other, { timeoutMs: 3_000 });
    assert.ok(["timed_out", "unavailable"].includes(error), error);
    assert.ok(tookMs < 6_000, `${tookMs} ms`);
    assert.equal(pending, 0);
    const refused = new RegExp(`user <\\d+:${one.id}>.* error 401`);
    await until("coturn has refused it", () => refused.test(coturn.log), 10_000);
    assert.doesNotMatch(coturn.log, new RegExp(`new, .*username=<\\d+:${one.id}>`));
  });

  it("that drop UDP: a relay is reached over TCP", async () => {
    await lab.site(7).lose("meta l4proto udp");
    const pair = [
      await start(7, { turnUrls: [coturn.turnTcpUrl] }),
      offering.get("node") as LabNode,
    ] as const;
    assertAnswered(await pair[0].call(pair[1]), pair, true);
  });

  it("that are the same towards everybody: STUN is enough, unless a node wants relays alone", async () => {
    const ice = { stunUrls: [coturn.stunUrl] };
    const relayed = { turnUrls: [coturn.turnUrl], relayOnly: true };
    const ends = [start(3, ice), start(4, ice), start(3, relayed)] as const;
    const [one, other, third] = await Promise.all(ends);
    assertAnswered(await one.call(other, { bytes: 100_000 }), [one, other], false);
    assertAnswered(await third.call(other, { bytes: 100_000 }), [third, other], true);
  });

  it("that are the same towards everybody, and told of no server: the rendezvous answers STUN, and says where", async () => {
    const stun = { stunPort: 3479, iceUrls: [`stun:${publicAddress}:3479`] };
    await using answering = await startRendezvous(lab, stun);
    const { identity } = answering;
    const pair = await Promise.all([start(3, {}, { identity }), start(4, {}, { identity })]);
    assertAnswered(await pair[0].call(pair[1], { bytes: 100_000 }), pair, false);
  });

  it("or behind none, until only a relay is left: the connection recovers over it, and says so", async () => {
    const ice = { turnUrls: [coturn.turnUrl] };
    const pair = await Promise.all([start(8, ice), start(9, ice)]);
    const [one, other] = pair;
    assertAnswered(await one.call(other), pair, false);
    await lab.site(8).lose("meta l4proto udp", betweenPeers);
    const recovers = (): boolean => one.sessionWith(other)?.status === "recovering";
    await until("the loss is noticed", recovers, 20_000);
    await lab.site(8).lose(betweenPeers);
    const isBack = (): boolean =>
      pair.every((each, index) => {
        const peer = pair[1 - index] ?? each;
        return each.sessionWith(peer)?.status === "connected";
      });
    await until("the connection is back", isBack, 60_000);
    assertAnswered(await one.call(other), pair, true);
  });

  it("that translate no IPv6: it carries what IPv4 cannot", async () => {
    const pair = await Promise.all([start(5), start(6)]);
    assertAnswered(await pair[0].call(pair[1], { bytes: 100_000 }), pair, false);
  });
});
