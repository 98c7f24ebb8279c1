import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode } from "@roost/edge";
import { TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { echoNode, recordingHooks } from "./support.ts";

const limit = { timeout: 60_000 };
const minute = 60_000;

describe("presence", () => {
  it("[N-6] a type that nobody has is not found", limit, async () => {
    await using t = await testNode(defineNode({}));
    await assert.rejects(t.context.discover("acme:Nobody:1.0.0"), { code: "not_found" });
    await assert.rejects(t.context.discover("nonsense"), (error) => ActrError.is(error));
  });

  it("[N-8] a call of an unknown route fails at once with a text that says so", limit, async () => {
    await using t = await testNode(defineNode({}));
    const b = await t.peer(echoNode());
    const before = t.clock.now();
    await assert.rejects(t.context.call(b.id, "acme.Nothing.Here", new Uint8Array()), (error) => {
      assert.ok(ActrError.is(error));
      assert.equal(error.code, "unknown_route");
      assert.match(error.display, /unknown route/);
      return true;
    });
    assert.equal(t.clock.now(), before);
  });

  it(
    "[N-9] [T-14] goes on while signaling is paused or swallows everything, and comes back",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const a = await TestNode.start(world, defineNode({}));
      const b = await TestNode.start(world, echoNode());
      const echo = a.context.service(EchoService, b.id);
      await echo.echo({ message: "before" });

      await world.stopRendezvous();
      await world.clock.advance(2 * minute);
      assert.equal(a.node.phase, "running");
      assert.equal((await echo.echo({ message: "without" })).reply, "Echo: without");
      await assert.rejects(a.clock.through(a.context.discover("acme:EchoService:1.0.0")));
      await world.startRendezvous();
      await world.clock.advance(2 * minute);
      assert.equal((await a.context.discover("acme:EchoService:1.0.0")).length, 1);

      world.network.faults.blackhole = true;
      await world.clock.advance(2 * minute);
      assert.equal(a.node.phase, "running");
      assert.equal(a.node.presence.signaling.connected, false, "silence is noticed");
      assert.equal((await echo.echo({ message: "swallowed" })).reply, "Echo: swallowed");
      world.network.faults.blackhole = false;
      await world.clock.advance(2 * minute);
      assert.equal(a.node.presence.signaling.connected, true);
      assert.equal((await a.context.discover("acme:EchoService:1.0.0")).length, 1);
    },
  );

  it("keeps its identity over a restart on the same store, not on another", limit, async () => {
    await using t = await testNode(echoNode());
    const { serial } = t.id;
    await t.restart();
    assert.equal(t.id.serial, serial);
    await t.restart({ crash: true });
    assert.equal(t.id.serial, serial);
    const other = await t.peer(echoNode());
    assert.notEqual(other.id.serial, serial);
  });

  it(
    "is the same node when it comes back too late to renew, until it is too late for that, too",
    limit,
    async () => {
      const rendezvous = {
        credentialTtlMs: 10 * minute,
        renewalTtlMs: 20 * minute,
        reissueMs: 20 * minute,
      };
      await using t = await testNode(echoNode(), { rendezvous });
      const { serial } = t.id;
      const { world } = t;
      await t.stop();
      await world.clock.advance(15 * minute);
      await t.restart();
      assert.equal(t.id.serial, serial, "the renewal token still held");
      await t.stop();
      await world.clock.advance(30 * minute);
      await t.restart();
      assert.equal(t.id.serial, serial, "it was issued again");
      await t.stop();
      await world.clock.advance(60 * minute);
      await t.restart();
      assert.notEqual(t.id.serial, serial);
    },
  );

  it("renews its credential in time, under the same id", limit, async () => {
    const told: string[] = [];
    const rendezvous = { credentialTtlMs: 10 * minute, renewalTtlMs: 60 * minute };
    await using t = await testNode(echoNode(undefined, { hooks: recordingHooks(told) }), {
      rendezvous,
    });
    const { serial } = t.id;
    await t.clock.advance(25 * minute);
    assert.equal(t.id.serial, serial);
    assert.ok(told.filter((each) => each === "onCredentialRenewed").length >= 2);
    assert.equal(t.node.presence.signaling.connected, true);
    assert.equal((await t.service(EchoService).echo({ message: "x" })).reply, "Echo: x");
  });

  it(
    "stays who it is when the rendezvous was away for longer than its renewal token",
    limit,
    async () => {
      const rendezvous = { credentialTtlMs: 5 * minute, renewalTtlMs: 6 * minute };
      await using t = await testNode(echoNode(), { rendezvous });
      const { serial } = t.id;
      await t.world.stopRendezvous();
      await t.clock.advance(10 * minute);
      await t.world.startRendezvous();
      await t.clock.advance(10 * minute);
      assert.equal(t.id.serial, serial);
      assert.equal(t.node.presence.session.current.generation, 1);
      assert.equal(t.node.presence.signaling.connected, true);
      const peer = await t.peer();
      assert.equal((await peer.context.discover("acme:EchoService:1.0.0")).length, 1);
    },
  );

  it("closes its links when it gets another identity, and works on under that", limit, async () => {
    const rendezvous = { credentialTtlMs: 5 * minute, renewalTtlMs: 6 * minute, reissueMs: minute };
    await using world = await TestWorld.open({ rendezvous });
    const options = { transport: "websocket" } as const;
    const a = await TestNode.start(world, defineNode({}), options);
    const b = await TestNode.start(world, echoNode(), options);
    await a.context.service(EchoService, b.id).echo({ message: "x" });
    const { serial } = a.id;
    assert.equal(a.node.outbound.sessions.size, 1);
    await world.stopRendezvous();
    await world.clock.advance(10 * minute);
    await world.startRendezvous();
    await world.clock.advance(10 * minute);
    assert.notEqual(a.id.serial, serial);
    assert.equal(a.node.outbound.sessions.size, 0);
    assert.equal(a.context.selfId.serial, a.id.serial);
    const [found] = await a.context.discover("acme:EchoService:1.0.0");
    assert.ok(found !== undefined);
    const { reply } = await a.context.service(EchoService, found).echo({ message: "again" });
    assert.equal(reply, "Echo: again");
  });
});
