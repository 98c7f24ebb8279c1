import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode, formatActrId, NetworkEvents, type NodeInit } from "@roost/edge";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { NetworkEvent } from "../../../src/node/network_event.ts";
import { decodeEnvelope, directions } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { encodeActrId } from "../../../src/protocol/ids.ts";
import { available, cleanup, force, unavailable } from "./network_support.ts";
import { echoNode, gate } from "./support.ts";

const limit = { timeout: 60_000 };
const settleMs = 400;
const client: NodeInit = {};

/** Two nodes of one world, the first of which calls the second. */
async function pair(
  world: TestWorld,
  handle?: Parameters<typeof echoNode>[0],
  transport: "memory" | "websocket" = "memory",
) {
  const a = await TestNode.start(world, defineNode(client), { transport });
  const b = await TestNode.start(world, echoNode(handle), { transport });
  const echo = (message: string) => a.context.service(EchoService, b.id).echo({ message });
  return { a, b, echo };
}

/** Writes down the id of each request that comes in at a node. */
function watchRequests({ node }: TestNode, ids: string[]): void {
  const { gate } = node.inbound;
  const receive = gate.receive.bind(gate);
  gate.receive = (frame, from, link) => {
    const { direction, requestId } = decodeEnvelope(frame.body);
    if (direction === directions.request) ids.push(requestId);
    return receive(frame, from, link);
  };
}

/** The reply's text; time does not pass. */
async function replyOf(call: Promise<{ readonly reply: string }>): Promise<string> {
  return (await call).reply;
}

describe("network events of a node", () => {
  it("[N-152] works on a handle made before the node, and ends with it", limit, async () => {
    await using world = await TestWorld.open();
    const network = new NetworkEvents();
    const early = network.report(available());
    const t = await TestNode.start(world, defineNode({}), { components: { network } });
    assert.equal(t.node.network, network);
    await world.clock.advance(settleMs);
    assert.equal((await early).success, true);
    const late = assert.rejects(network.report(available()), { code: "stopping" });
    const before = world.clock.now();
    await t.stop();
    await late;
    assert.ok(world.clock.now() - before < settleMs);
    await assert.rejects(network.report(available()), { code: "stopping" });
  });

  for (const transport of ["memory", "websocket"] as const) {
    it(
      `[N-73] over ${transport}: calls fail fast while links recover, and succeed afterwards`,
      limit,
      async () => {
        await using world = await TestWorld.open();
        const { a, b, echo } = await pair(world, undefined, transport);
        await echo("before");
        const gone = a.node.network.report(unavailable(1));
        await world.clock.advance(settleMs);
        assert.deepEqual([(await gone).action, (await gone).success], ["offline", true]);
        assert.equal(a.node.presence.signaling.connected, false);
        const before = world.clock.now();
        await assert.rejects(echo("during"), (error) => {
          assert.ok(ActrError.is(error));
          assert.equal(error.code, "connection_not_ready");
          assert.ok((error.retryAfterMs ?? 0) > 5_000 && (error.retryAfterMs ?? 0) <= 6_300);
          return true;
        });
        assert.equal(world.clock.now(), before);
        const back = a.node.network.report(available(2));
        await world.clock.advance(settleMs);
        assert.equal((await back).success, true);
        assert.equal(a.node.presence.signaling.connected, true);
        assert.equal(await replyOf(echo("after")), "Echo: after");
        assert.equal(b.node.inbound.handled, 2);
      },
    );
  }

  it(
    "[N-73] a call that has begun waits for the recovery, and goes on as soon as the link works",
    limit,
    async () => {
      await using world = await TestWorld.open();
      let runs = 0;
      const { a, echo } = await pair(world, () => {
        runs += 1;
        if (runs === 2) throw new ActrError("unavailable", "come back");
        return "fine";
      });
      await echo("first");
      const call = echo("second");
      await world.clock.advance(500);
      a.node.outbound.sessions.guard();
      await world.clock.advance(2_000);
      assert.equal(runs, 2, "the pause of 1 s is over, the link recovers");
      const before = world.clock.now();
      a.node.outbound.sessions.recover();
      assert.equal(await replyOf(call), "fine");
      assert.equal(world.clock.now(), before);
      assert.equal(runs, 3);
    },
  );

  it(
    "[N-72] three events during a back-off: three results, one retry, one run of the handler",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const { a, b, echo } = await pair(world);
      let dials = 0;
      const dial = world.hub.dial.bind(world.hub);
      world.hub.dial = (...args) => {
        dials += 1;
        return dial(...args);
      };
      world.hub.faults.blackhole = true;
      const call = echo("x");
      await world.clock.advance(100);
      world.hub.dropAll();
      world.hub.faults.blackhole = false;
      await world.clock.advance(100);
      const events = [available(1), available(2, { transports: ["cellular"] }), force];
      const results = Promise.all(events.map((event) => a.node.network.report(event)));
      await world.clock.advance(settleMs);
      assert.deepEqual(
        (await results).map(({ event, success }) => [event, success]),
        events.map((event) => [event, true]),
      );
      assert.equal(await replyOf(world.clock.through(call)), "Echo: x");
      assert.deepEqual([dials, b.node.inbound.handled], [2, 1]);
    },
  );

  it(
    "[T-62] calls around three batches of events are all answered, each sent once",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const { a, b, echo } = await pair(world, async (text, { signal }) => {
        await world.clock.sleep(600, { signal });
        return text;
      });
      await world.clock.through(echo("first"));
      const requests: string[] = [];
      watchRequests(b, requests);
      const calls: Promise<string>[] = [];
      const callTwice = (): void => {
        for (let n = 0; n < 2; n++) calls.push(replyOf(echo(String(calls.length))));
      };
      const actions: string[] = [];
      /** Calls before the events, which are then under way when those are dealt with, or after, which wait for that. */
      const batch = async (callsAfter: boolean, ...events: NetworkEvent[]): Promise<void> => {
        if (!callsAfter) callTwice();
        await world.clock.settle();
        const results = Promise.all(events.map((event) => a.node.network.report(event)));
        if (callsAfter) callTwice();
        await world.clock.advance(settleMs);
        actions.push(...new Set((await results).map(({ action }) => action)));
      };
      await batch(true, available(1), available(2, { transports: ["wifi"] }));
      await batch(false, available(3), unavailable(4));
      await batch(true, available(5), available(6, { transports: ["cellular"] }));
      const texts = ["0", "1", "2", "3", "4", "5"];
      assert.deepEqual(await world.clock.through(Promise.all(calls)), texts);
      assert.deepEqual(actions, ["restore", "offline", "restore"]);
      assert.equal(requests.length, 6);
      assert.equal(new Set(requests).size, 6);
    },
  );

  it(
    "[T-62] offline, available and cellular within a pause before a retry are one restore, and one run of the handler",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const { a, b, echo } = await pair(world);
      await echo("first");
      const { handled } = b.node.inbound;
      world.hub.faults.blackhole = true;
      const call = replyOf(echo("x"));
      await world.clock.advance(100);
      world.hub.dropAll();
      world.hub.faults.blackhole = false;
      await world.clock.advance(100);
      const events = [unavailable(1), available(2), available(3, { transports: ["cellular"] })];
      const results = Promise.all(events.map((event) => a.node.network.report(event)));
      await world.clock.advance(settleMs);
      const actions = (await results).map(({ action }) => action);
      assert.deepEqual(actions, ["restore", "restore", "restore"]);
      assert.equal(b.node.inbound.handled, handled, "the pause is not over");
      assert.equal(await world.clock.through(call), "Echo: x");
      assert.equal(b.node.inbound.handled, handled + 1);
    },
  );

  it(
    "[T-60] a call of 150 ms that a cleanup ends leaves nothing, and the next one is clean",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const held = gate();
      const definition = defineNode({ options: { network: { settleMs: 50 } } });
      const a = await TestNode.start(world, definition);
      const b = await TestNode.start(
        world,
        echoNode(async (text) => {
          if (text === "held") await held.promise;
          return text;
        }),
      );
      const { echo } = a.context.service(EchoService, b.id);
      await echo({ message: "first" });
      const begunAt = world.clock.now();
      let endedAt: number | undefined;
      const call = echo({ message: "held" }, { timeoutMs: 150 });
      const ended = assert.rejects(call, { code: "unavailable" }).finally(() => {
        endedAt = world.clock.now();
      });
      await world.clock.settle();
      const cleaned = a.node.network.report(cleanup);
      await world.clock.advance(1_000);
      await ended;
      assert.ok(endedAt !== undefined && endedAt - begunAt <= 1_000);
      assert.deepEqual([(await cleaned).success, a.node.outbound.pending.size], [true, 0]);
      held.open();
      void a.node.network.report(available());
      await world.clock.advance(50);
      assert.equal((await echo({ message: "next" })).reply, "next");
      assert.equal(a.node.outbound.pending.size, 0);
    },
  );

  it("[N-71] a cleanup ends a call within a second, and the next one is clean", limit, async () => {
    await using world = await TestWorld.open();
    const held = gate();
    const { a, echo } = await pair(world, async (text) => {
      if (text === "held") await held.promise;
      return text;
    });
    const call = assert.rejects(echo("held"), { code: "unavailable" });
    const cleaned = a.node.network.report(cleanup);
    await world.clock.advance(settleMs);
    await call;
    assert.equal((await cleaned).success, true);
    assert.equal(a.node.outbound.pending.size, 0);
    assert.equal(a.node.outbound.sessions.size, 0);
    held.open();
    await world.clock.advance(60_000);
    assert.equal(a.node.presence.signaling.connected, false, "nothing comes back by itself");
    const back = a.node.network.report(force);
    await world.clock.advance(settleMs);
    assert.equal((await back).success, true);
    assert.equal(await replyOf(echo("next")), "next");
  });

  it("requests wait while connections are replaced, and leave afterwards", limit, async () => {
    await using world = await TestWorld.open();
    const { a, echo } = await pair(world);
    await echo("x");
    const forced = a.node.network.report(force);
    const call = echo("held back");
    let answered = false;
    void call.then(() => {
      answered = true;
    });
    await world.clock.advance(settleMs - 1);
    assert.equal(answered, false);
    await world.clock.advance(1);
    assert.equal((await forced).success, true);
    assert.equal(await replyOf(call), "Echo: held back");
  });

  it("drops a link that is silent after the network came back, and dials anew", limit, async () => {
    await using world = await TestWorld.open();
    const { a, echo } = await pair(world);
    await echo("x");
    const [session] = a.node.outbound.sessions.sessions();
    const dead = session?.requestLink;
    world.hub.faults.blackhole = true;
    void a.node.network.report(available());
    await world.clock.advance(settleMs + 1_000);
    world.hub.faults.blackhole = false;
    assert.equal(await replyOf(echo("again")), "Echo: again");
    assert.notEqual(a.node.outbound.sessions.requestLink(session?.peer.key ?? ""), dead);
    await world.clock.advance(2_000);
    assert.equal(a.node.outbound.sessions.session(session?.peer.key ?? "")?.links.size, 1);
  });

  it("[T-35] gives links up that recover for more than 6 s, without a hint", limit, async () => {
    await using world = await TestWorld.open();
    const { a, echo } = await pair(world);
    await echo("x");
    a.node.outbound.sessions.guard();
    await assert.rejects(
      echo("fresh"),
      (error) => ActrError.is(error) && error.retryAfterMs === 6_300,
    );
    await world.clock.advance(7_000);
    await assert.rejects(echo("aged"), (error) => {
      assert.ok(ActrError.is(error));
      assert.deepEqual([error.code, error.retryAfterMs], ["connection_not_ready", undefined]);
      return true;
    });
    assert.equal(a.node.outbound.sessions.size, 0);
    assert.equal(await replyOf(echo("next")), "Echo: next");
  });
});

describe("network events without a rendezvous", () => {
  it("[T-85] are answered within 5 s, and a call ends in its time", limit, async () => {
    await using world = await TestWorld.open();
    const { a, b } = await pair(world);
    await world.stopRendezvous();
    const start = world.clock.now();
    const events = [force, available(1, { transports: ["wifi"] })];
    const results = Promise.all(events.map((event) => a.node.network.report(event)));
    for (const { success, durationMs } of await world.clock.through(results)) {
      assert.equal(success, false);
      assert.ok(durationMs <= 5_000);
    }
    assert.ok(world.clock.now() - start <= 5_000);
    const called = world.clock.now();
    const call = a.context.service(EchoService, b.id).echo({ message: "x" }, { timeoutMs: 1_000 });
    await assert.rejects(world.clock.through(call), (error) => ActrError.is(error));
    assert.ok(world.clock.now() - called <= 4_000);
    assert.equal(a.node.outbound.pending.size, 0);
  });
});

describe("identity of a node", () => {
  it("[N-77] requests may not leave while the node has no standing", limit, async () => {
    await using world = await TestWorld.open();
    const { a, echo } = await pair(world);
    await echo("x");
    const { session } = a.node.presence;
    session.realmUnavailable();
    await assert.rejects(echo("refused"), { code: "connection_not_ready" });
    await assert.rejects(a.context.tell(a.id, "x.Y.z", new Uint8Array()), {
      code: "connection_not_ready",
    });
    session.update(session.current);
    assert.equal(await replyOf(echo("granted")), "Echo: granted");
    const { generation } = session.current;
    session.commit(session.current);
    await assert.rejects(echo("rebinding"), { code: "connection_not_ready" });
    assert.throws(() => session.assertUsable(generation), { code: "connection_not_ready" });
    await world.clock.advance(2_000);
    assert.throws(() => session.assertUsable(generation), { code: "connection_not_ready" });
    assert.equal(await replyOf(echo("bound")), "Echo: bound");
  });

  it("[N-77] what was asked under one identity is not repeated under the next", limit, async () => {
    await using world = await TestWorld.open();
    const { a, b } = await pair(world, () => {
      throw new ActrError("unavailable", "come back");
    });
    const route = "acme.EchoService.Nothing";
    const call = assert.rejects(a.context.call(b.id, route, new Uint8Array()));
    await call;
    const repeated = assert.rejects(a.context.service(EchoService, b.id).echo({ message: "x" }), {
      code: "connection_not_ready",
    });
    await world.clock.advance(100);
    const { handled } = b.node.inbound;
    a.node.outbound.rebound();
    await repeated;
    await world.clock.advance(30_000);
    assert.equal(b.node.inbound.handled, handled);
  });

  it(
    "[ND-45] [ND-40] after a rebind everything speaks of the new identity, and peers reach it in memory",
    limit,
    async () => {
      const minute = 60_000;
      const rendezvous = {
        credentialTtlMs: 5 * minute,
        renewalTtlMs: 6 * minute,
        reissueMs: minute,
      };
      await using world = await TestWorld.open({ rendezvous });
      const told: unknown[] = [];
      let selfId = "";
      const b = await TestNode.start(
        world,
        echoNode(
          (text, context) => {
            selfId = formatActrId(context.selfId);
            return text;
          },
          {
            acl: [{ permission: "allow", type: "acme:Friend:1.0.0" }],
            hooks: { onCredentialRenewed: (_, event) => void told.push(event.previousId) },
          },
        ),
      );
      const old = b.id;
      await world.stopRendezvous();
      await world.clock.advance(10 * minute);
      await world.startRendezvous();
      await world.clock.advance(3 * minute);
      assert.notEqual(b.id.serial, old.serial);
      assert.deepEqual(told, [old]);
      assert.equal(b.node.presence.session.phase, "active");

      const friend = await TestNode.start(world, defineNode({ type: "acme:Friend:1.0.0" }));
      const { reply } = await friend.context.service(EchoService, b.id).echo({ message: "hi" });
      assert.equal(reply, "hi");
      assert.equal(selfId, formatActrId(b.id), "a handler sees itself");
      const stranger = await TestNode.start(world, defineNode({ type: "acme:Stranger:1.0.0" }));
      await assert.rejects(stranger.context.service(EchoService, b.id).echo({ message: "hi" }), {
        code: "permission_denied",
        message: new RegExp(`to call ${formatActrId(b.id).replace(/[/]/g, "\\/")}`),
      });
      const link = friend.node.outbound.sessions.requestLink(formatActrId(b.id));
      await link?.send({ lane: lanes.rpcReliable, body: new Uint8Array([255]) });
      await world.clock.settle();
      const [letter] = await b.store.deadLetters(1);
      assert.deepEqual(letter?.to, encodeActrId(b.id), "a dead letter names who it was for");
      await assert.rejects(
        world.clock.through(friend.context.call(old, "acme.EchoService.Echo", new Uint8Array())),
        { code: "unavailable" },
        "nobody answers to the old one",
      );
    },
  );
});
