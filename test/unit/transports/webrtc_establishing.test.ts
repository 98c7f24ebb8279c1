import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { assignment } from "./fake_signaling.ts";
import { passes, WebRtcWorld } from "./webrtc_world.ts";

function codeOf(error: unknown): string {
  assert.ok(ActrError.is(error), String(error));
  return error.code;
}

describe("WebRTC: establishing a connection", () => {
  for (const [dialler, callee] of [
    [100, 200],
    [200, 100],
  ] as const) {
    it(`[T-1] ${dialler} dials ${callee}: both get a link that carries messages both ways, after one offer by 100`, async () => {
      const world = new WebRtcWorld();
      const { one, other, link, back } = await world.linked(dialler, callee);
      assert.equal(await passes(world.clock, link, back), true);
      assert.equal(await passes(world.clock, back, link), true);
      assert.deepEqual([link.direction, back.direction], ["outbound", "inbound"]);
      const offers = world.server.sent("offer");
      assert.deepEqual(
        offers.map(({ from }) => from.serial),
        [100n],
      );
      assert.deepEqual([one.links.length, other.links.length], [0, 1]);
      await Promise.all([link.close("done"), world.clock.advance(1_000)]);
      await back.closed;
      assert.deepEqual([one.transport.connections, other.transport.connections], [0, 0]);
      assert.equal(world.clock.pending, 0);
    });
  }

  it("[T-2] is ready after 6 s with one offer, when every candidate takes that long", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.server.delay = ({ kind }) => (kind === "candidate" ? 6_000 : 0);
    const dial = one.dial(other);
    await world.clock.advance(5_000);
    assert.equal(dial.endedAt, undefined);
    await world.clock.advance(10_000);
    assert.ok(dial.result !== undefined, String(dial.error));
    assert.equal(dial.endedAt, 6_000);
    assert.equal(world.server.sent("offer").length, 1);
  });

  it("[T-3] fails with timed_out after 5 s, when no role is assigned", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.server.delay = ({ kind }) => (kind === "negotiate" ? Number.POSITIVE_INFINITY : 0);
    const dial = one.dial(other);
    await world.clock.advance(7_000);
    assert.equal(codeOf(dial.error), "timed_out");
    assert.equal(dial.endedAt, 5_000);
    assert.equal(world.clock.pending, 0);
  });

  it("[T-4] offers once when the offer is lost, and the side that answers never does", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.server.delay = ({ kind }) => (kind === "offer" ? Number.POSITIVE_INFINITY : 0);
    const [there, back] = [one.dial(other), other.dial(one)];
    await world.clock.advance(12_000);
    assert.deepEqual(
      world.server.sent("offer").map(({ from }) => from.serial),
      [100n],
    );
    assert.deepEqual([codeOf(there.error), codeOf(back.error)], ["unavailable", "timed_out"]);
    assert.deepEqual([one.transport.connections, other.transport.connections], [0, 0]);
    assert.equal(world.clock.pending, 0);
  });

  it("makes one connection when both sides dial at once", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    const [there, back] = [one.dial(other), other.dial(one)];
    await world.clock.settle();
    const [link, reverse] = [await there.link, await back.link];
    assert.equal(await passes(world.clock, link, reverse), true);
    assert.equal(world.server.sent("offer").length, 1);
    assert.deepEqual([one.stack.made.length, other.stack.made.length], [1, 1]);
  });

  it("dials on over the connection that the peer begins in place of the one under way", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    const { server } = world;
    // The first answer is lost, so that the first offer leads nowhere.
    server.delay = ({ kind }) =>
      kind === "answer" && server.sent("answer").length === 1 ? Number.POSITIVE_INFINITY : 0;
    const dial = other.dial(one);
    await world.clock.advance(2_000);
    one.signaling.receive(other.id, one.id, assignment(true));
    await world.clock.settle();
    const [link, back] = [await dial.link, one.links[0]];
    assert.ok(back !== undefined);
    assert.equal(await passes(world.clock, link, back), true);
    assert.equal(server.sent("offer").length, 2);
    assert.deepEqual([one.transport.connections, other.transport.connections], [1, 1]);
  });

  it("shares one negotiation among dials of one peer", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    const dials = [one.dial(other), one.dial(other)];
    await world.clock.settle();
    const [first, second] = await Promise.all(dials.map(({ link }) => link));
    assert.equal(first, second);
    assert.equal(world.server.sent("negotiate").length, 1);
  });

  it("fails at once for a peer that signaling does not know, and when signaling is down or goes", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    const stranger = { ...other.id, serial: 300n };
    const { signal } = new AbortController();
    await assert.rejects(
      Promise.all([one.transport.dial({ id: stranger }, { signal }), world.clock.settle()]),
      { code: "unavailable", details: { reason: "no_route" } },
    );
    world.server.delay = () => Number.POSITIVE_INFINITY;
    const dial = one.dial(other);
    await world.clock.settle();
    one.signaling.connected = false;
    await assert.rejects(dial.link, { code: "unavailable" });
    await assert.rejects(one.dial(other).link, { code: "unavailable" });
    assert.equal(world.clock.pending, 0);
  });

  it("ends what an aborted dial has begun", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.paths.open = false;
    const dial = one.dial(other);
    await world.clock.settle();
    assert.equal(one.stack.last.state, "new");
    dial.abort.abort(new ActrError("stopping", "enough"));
    await assert.rejects(dial.link, { code: "stopping" });
    assert.equal(one.stack.last.state, "closed");
    await world.clock.advance(10_000);
    assert.deepEqual([one.transport.connections, other.transport.connections], [0, 0]);
    assert.equal(world.clock.pending, 0);
  });

  it("gives the channel 2 s, when the path is found at the end of the 10 s", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.paths.open = false;
    const dial = one.dial(other);
    await world.clock.advance(9_500);
    one.stack.last.change("connected");
    await world.clock.advance(1_900);
    assert.equal(dial.endedAt, undefined);
    await world.clock.advance(200);
    assert.equal(codeOf(dial.error), "unavailable");
    assert.equal(dial.endedAt, 11_500);
  });

  it("fails at once when there is no path", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.paths.open = false;
    const dial = one.dial(other);
    await world.clock.settle();
    one.stack.last.change("failed");
    await assert.rejects(dial.link, { code: "unavailable" });
  });

  it("says whether a relay carries the link", async () => {
    const world = new WebRtcWorld();
    world.paths.pair = { local: "host", remote: "relay" };
    const { link, back } = await world.linked(100, 200);
    assert.deepEqual([link.relayed, back.relayed], [true, true]);
    const direct = await new WebRtcWorld().linked(100, 200);
    assert.equal(direct.link.relayed, false);
  });

  it("asks again, a few times, where the stack does not know its path at once", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.paths.pair = undefined;
    const dial = one.dial(other);
    await world.clock.advance(90);
    assert.equal(dial.endedAt, undefined);
    world.paths.pair = { local: "relay", remote: "host" };
    await world.clock.advance(10);
    assert.equal((await dial.link).relayed, true);
    assert.equal(one.stack.last.asks, 3);
  });

  it("is ready without knowing its path when the stack never does", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    const refused = Promise.reject<never>(new Error("no statistics"));
    refused.catch(() => {});
    world.paths.pair = refused;
    const dial = one.dial(other);
    await world.clock.advance(150);
    assert.equal((await dial.link).relayed, undefined);
    await world.clock.advance(1_000);
    assert.equal(one.stack.last.asks, 4);
  });

  it("asks no more when it ends meanwhile", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.paths.pair = undefined;
    const dial = one.dial(other);
    await world.clock.advance(10);
    one.stack.last.close();
    await world.clock.settle();
    assert.equal(codeOf(dial.error), "unavailable");
    await world.clock.advance(1_000);
    assert.equal(one.stack.last.asks, 1);
  });

  it("says so also of the path that it has after a loss, before it tells that it works again", async () => {
    const world = new WebRtcWorld();
    const { link } = await world.linked(100, 200);
    const told: unknown[] = [];
    link.onWorking?.((works) => void told.push([works, link.relayed]));
    world.paths.open = false;
    await world.clock.advance(1_000);
    world.paths.pair = { local: "relay", remote: "host" };
    world.paths.open = true;
    await world.clock.advance(20_000);
    assert.deepEqual(told, [
      [false, false],
      [true, true],
    ]);
  });

  it("starts over at a new offer, and at a new assignment as offerer", async () => {
    const world = new WebRtcWorld();
    const { one, other, link, back } = await world.linked(100, 200);
    one.signaling.receive(other.id, one.id, assignment(true));
    await world.clock.settle();
    assert.equal((await link.closed).reason, "the peer starts over");
    await back.closed;
    assert.deepEqual([one.links.length, other.links.length], [1, 2]);
    const [fresh, answering] = [one.links[0], other.links[1]];
    assert.ok(fresh !== undefined && answering !== undefined);
    assert.equal(await passes(world.clock, fresh, answering), true);
    assert.equal(world.server.sent("offer").length, 2);
  });

  it("starts over also when there is room for no other connection", async () => {
    const world = new WebRtcWorld();
    const full = { maxConnections: 1 };
    const [one, other] = [await world.node(100, full), await world.node(200, full)];
    await Promise.all([one.dial(other).link, world.clock.settle()]);
    one.signaling.receive(other.id, one.id, assignment(true));
    await world.clock.settle();
    const [fresh, answering] = [one.links[0], other.links[1]];
    assert.ok(fresh !== undefined && answering !== undefined);
    assert.equal(await passes(world.clock, fresh, answering), true);
  });
});
