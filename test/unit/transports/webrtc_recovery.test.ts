import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CandidatePair } from "../../../src/ports/peer_connections.ts";
import type { Link } from "../../../src/ports/transport.ts";
import { ActrRelaySchema, create } from "../../../src/protocol/schema.ts";
import type { RelayPayload } from "../../../src/signaling/signaling_listeners.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { restartRequest } from "../../../transports/webrtc/peer_signals.ts";
import { passes, type WebRtcNode, WebRtcWorld } from "./webrtc_world.ts";

/** Asks a link to recover; what becomes of it can be seen at once. */
function recover(link: Link): { result: boolean | undefined } {
  const outcome: { result: boolean | undefined } = { result: undefined };
  void link.recover?.(1_000).then((works) => {
    outcome.result = works;
  });
  return outcome;
}

/** Whether the link says that it works, now and later. */
function watch(link: Link): { works: boolean } {
  const watched = { works: true };
  link.onWorking?.((works) => {
    watched.works = works;
  });
  return watched;
}

/** A restart request of `from` reaches `to`. */
function request(from: WebRtcNode, to: WebRtcNode): void {
  const { payload } = create(ActrRelaySchema, { payload: restartRequest });
  to.signaling.receive(from.id, to.id, payload as RelayPayload);
}

/** A dial whose connection is up, while the path that it took is told when the test calls `tell`. */
async function dialingWithoutPath() {
  const world = new WebRtcWorld();
  const [one, other] = [await world.node(100), await world.node(200)];
  const { promise, resolve } = withResolvers<CandidatePair>();
  world.paths.pair = promise;
  const dial = one.dial(other);
  await world.clock.settle();
  return { world, one, other, dial, tell: () => resolve({ local: "host", remote: "host" }) };
}

/** Signaling takes everything and passes nothing on. */
const paused = (): number => Number.POSITIVE_INFINITY;
const flowing = (): number => 0;

describe("WebRTC: ICE restart by the side that offered", () => {
  it("[T-15] offers within 1.5 s when asked to, and the link stays", async () => {
    const world = new WebRtcWorld();
    const { link, back } = await world.linked(100, 200);
    const outcome = recover(link);
    await world.clock.advance(1_500);
    assert.equal(world.server.sent("restart").length, 1);
    assert.equal(outcome.result, true);
    assert.equal(await passes(world.clock, link, back), true);
  });

  it("hears a peer that asks before this side knows the path, as soon as it does", async () => {
    const { world, one, other, dial, tell } = await dialingWithoutPath();
    assert.deepEqual([one.stack.last.state, dial.result], ["connected", undefined]);
    request(other, one);
    request(other, one);
    await world.clock.settle();
    assert.equal(world.server.sent("restart").length, 0);
    tell();
    await world.clock.advance(1_500);
    assert.ok(dial.result !== undefined, String(dial.error));
    assert.equal(world.server.sent("restart").length, 1);
  });

  it("[T-16] makes one offer of five demands at once", async () => {
    const world = new WebRtcWorld();
    const { link } = await world.linked(100, 200);
    const outcomes = Array.from({ length: 5 }, () => recover(link));
    await world.clock.advance(5_000);
    assert.equal(world.server.sent("restart").length, 1);
    assert.ok(outcomes.every(({ result }) => result === true));
  });

  it("[T-17] offers again 6 s later", async () => {
    const world = new WebRtcWorld();
    const { link } = await world.linked(100, 200);
    recover(link);
    await world.clock.advance(6_000);
    recover(link);
    await world.clock.advance(1_500);
    assert.equal(world.server.sent("restart").length, 2);
  });

  it("[T-18] both sides restart at once: both succeed, with one to four offers", async () => {
    const world = new WebRtcWorld();
    const { link, back } = await world.linked(100, 200);
    const outcomes = [recover(link), recover(back)];
    await world.clock.advance(15_000);
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      [true, true],
    );
    const offers = world.server.sent("restart");
    assert.ok(offers.length >= 1 && offers.length <= 4, `${offers.length} offers`);
    assert.ok(offers.every(({ from }) => from.serial === 100n));
    assert.equal(await passes(world.clock, back, link), true);
  });

  it("[T-19] ends a restart within 30 s when signaling dies in the middle of it, and keeps what works", async () => {
    const world = new WebRtcWorld();
    const { one, other, link, back } = await world.linked(100, 200);
    world.server.delay = paused;
    const outcome = recover(link);
    await world.clock.settle();
    assert.equal(world.server.sent("restart").length, 1);
    for (const node of [one, other]) node.signaling.connected = false;
    await world.clock.advance(30_000);
    assert.equal(outcome.result, true);
    assert.equal(await passes(world.clock, link, back), true);
  });

  it("[T-20] completes within 20 s when signaling was paused for 2 s", async () => {
    const world = new WebRtcWorld();
    const { link, back } = await world.linked(100, 200);
    world.server.delay = paused;
    const outcome = recover(link);
    await world.clock.advance(2_000);
    assert.equal(outcome.result, undefined);
    world.server.delay = flowing;
    await world.clock.advance(20_000);
    assert.equal(outcome.result, true);
    assert.equal(await passes(world.clock, link, back), true);
  });

  it("[T-21] offers again within 1.5 s of the peer's request, 2.2 s after an offer that was swallowed", async () => {
    const world = new WebRtcWorld();
    const { one, other, link } = await world.linked(100, 200);
    world.server.delay = ({ kind }) => (kind === "restart" ? Number.POSITIVE_INFINITY : 0);
    recover(link);
    await world.clock.advance(2_200);
    assert.equal(world.server.sent("restart").length, 1);
    request(other, one);
    await world.clock.advance(1_500);
    assert.equal(world.server.sent("restart").length, 2);
  });

  it("[T-28] sends nothing while signaling is down, and exactly one offer after it is back", async () => {
    const world = new WebRtcWorld();
    const { one, link } = await world.linked(100, 200);
    one.signaling.connected = false;
    recover(link);
    await world.clock.advance(250);
    assert.equal(world.server.sent("restart").length, 0);
    one.signaling.connected = true;
    for (let resumed = 0; resumed < 5; resumed++) recover(link);
    await world.clock.advance(3_000);
    assert.equal(world.server.sent("restart").length, 1);
    await world.clock.advance(2_500);
    assert.equal(world.server.sent("restart").length, 1);
  });

  it("[T-29] does not restart a connection that was never ready", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.server.delay = ({ kind }) => (kind === "candidate" ? 800 : 0);
    const dial = one.dial(other);
    await world.clock.settle();
    one.stack.last.change("disconnected");
    request(other, one);
    one.signaling.connected = false;
    one.signaling.connected = true;
    await world.clock.advance(2_000);
    assert.ok(dial.result !== undefined, String(dial.error));
    assert.equal(world.server.sent("restart").length, 0);
  });

  it("has all its time for offers left after a minute without signaling", async () => {
    const world = new WebRtcWorld();
    const { one, link, back } = await world.linked(100, 200);
    one.signaling.connected = false;
    world.paths.open = false;
    await world.clock.advance(65_000);
    world.paths.open = true;
    world.server.delay = ({ kind }) => (kind === "restart" ? Number.POSITIVE_INFINITY : 0);
    one.signaling.connected = true;
    await world.clock.advance(1_000);
    assert.equal(world.server.sent("restart").length, 1);
    world.server.delay = flowing;
    await world.clock.advance(10_000);
    assert.equal(await passes(world.clock, link, back), true);
    assert.equal(one.stack.made.length, 1);
  });

  it("gives up after a minute of offers at least 2 s apart, and ends the link", async () => {
    const world = new WebRtcWorld();
    const { one, link } = await world.linked(100, 200);
    world.paths.open = false;
    await world.clock.advance(59_999);
    assert.equal(one.transport.connections, 1);
    await world.clock.advance(1);
    assert.equal((await link.closed).by, "lost");
    assert.equal(one.transport.connections, 0);
    const times = world.server.sent("restart").map(({ at }) => at);
    assert.ok(times.length >= 6 && times.length <= 10, `${times.length} offers`);
    assert.ok(times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) >= 2_000));
  });

  it("ends a lost connection at once where the stack cannot restart ICE, and keeps one that works", async () => {
    const world = new WebRtcWorld();
    const { link } = await world.linked(100, 200);
    world.paths.restarts = false;
    const outcome = recover(link);
    await world.clock.settle();
    assert.equal(outcome.result, true);
    world.paths.open = false;
    await world.clock.advance(2_000);
    assert.equal((await link.closed).reason, "ice restart failed");
    assert.equal(world.server.sent("restart").length, 0);
  });

  it("restarts a connection that was lost while its path was being asked for", async () => {
    const { world, one, dial, tell } = await dialingWithoutPath();
    one.stack.last.change("disconnected");
    tell();
    await world.clock.settle();
    assert.ok(dial.result !== undefined);
    assert.equal(world.server.sent("restart").length, 1);
  });

  it("takes only the answer to its last offer", async () => {
    const world = new WebRtcWorld();
    const { one, other } = await world.linked(100, 200);
    world.server.delay = ({ kind }) => (kind === "answer" ? 3_000 : 0);
    world.paths.open = false;
    await world.clock.advance(100);
    request(other, one);
    await world.clock.advance(2_000);
    assert.equal(world.server.sent("restart").length, 2);
    world.paths.open = true;
    await world.clock.advance(900);
    // The first answer has come, too late.
    assert.equal(one.stack.last.state, "disconnected");
    await world.clock.advance(2_100);
    assert.equal(one.stack.last.state, "connected");
  });
});

describe("WebRTC: ICE restart by the side that answered", () => {
  it("[T-24] asks the offerer, which offers; the link stays", async () => {
    const world = new WebRtcWorld();
    const { link, back } = await world.linked(100, 200);
    const outcome = recover(back);
    await world.clock.advance(5_000);
    assert.deepEqual(
      world.server.sent("restart_request").map(({ from }) => from.serial),
      [200n],
    );
    assert.equal(world.server.sent("restart").length, 1);
    assert.equal(outcome.result, true);
    assert.equal(await passes(world.clock, back, link), true);
  });

  it("[T-25] does not work before it is connected, though it has answered an offer", async () => {
    const world = new WebRtcWorld();
    const { back } = await world.linked(100, 200);
    const watched = watch(back);
    world.paths.open = false;
    await world.clock.advance(1_000);
    assert.equal(world.server.sent("answer").length, 2);
    assert.equal(watched.works, false);
    world.paths.open = true;
    world.paths.look();
    await world.clock.settle();
    assert.equal(watched.works, true);
  });

  it("[T-26] ends a connection lost for 61 s without asking", async () => {
    const world = new WebRtcWorld();
    const { one, other, back } = await world.linked(100, 200);
    for (const node of [one, other]) node.signaling.connected = false;
    world.paths.open = false;
    await world.clock.advance(61_000);
    other.signaling.connected = true;
    assert.equal(other.transport.connections, 1);
    const outcome = recover(back);
    await world.clock.settle();
    assert.equal((await back.closed).reason, "lost for too long to be mended");
    assert.equal(outcome.result, false);
    assert.equal(other.transport.connections, 0);
    assert.equal(world.server.sent("restart_request").length, 0);
  });

  it("waits 5 s for signaling, and does not ask once the connection has healed", async () => {
    const world = new WebRtcWorld();
    const { other, back } = await world.linked(100, 200);
    other.signaling.connected = false;
    other.stack.last.change("disconnected");
    const outcome = recover(back);
    await world.clock.advance(3_000);
    other.stack.last.change("connected");
    await world.clock.settle();
    assert.equal(outcome.result, true);
    other.signaling.connected = true;
    await world.clock.advance(5_000);
    assert.equal(world.server.sent("restart_request").length, 0);
    assert.equal(watch(back).works, true);
  });

  it("starts over at a restart offer for a connection that it does not have", async () => {
    const world = new WebRtcWorld();
    const { one, other, link, back } = await world.linked(100, 200);
    world.paths.open = false;
    await Promise.all([back.close("crashed"), world.clock.settle()]);
    assert.equal(world.server.sent("restart").length, 1);
    world.paths.open = true;
    world.paths.look();
    await world.clock.settle();
    await link.closed;
    const [fresh] = other.links.slice(1);
    const [mine] = one.links;
    assert.ok(fresh !== undefined && mine !== undefined);
    assert.equal(await passes(world.clock, fresh, mine), true);
  });
});

describe("WebRTC: what is over", () => {
  for (const role of ["offerer", "answerer"] as const) {
    it(`[T-22] half-open for 15 s, then the network is back: one ${role === "offerer" ? "offer" : "request"} within 3 s, the same link, both directions`, async () => {
      const world = new WebRtcWorld();
      const { one, other, link, back } = await world.linked(100, 200);
      const [mobile, mine] = role === "offerer" ? [one, link] : [other, back];
      mobile.signaling.connected = false;
      world.server.delay = paused;
      world.paths.open = false;
      await world.clock.advance(15_000);
      world.server.delay = flowing;
      world.paths.open = true;
      const kind = role === "offerer" ? "restart" : "restart_request";
      const before = world.server.sent(kind, mobile.id).length;
      mobile.signaling.connected = true;
      recover(mine);
      await world.clock.advance(3_000);
      assert.equal(world.server.sent(kind, mobile.id).length - before, 1);
      await world.clock.advance(27_000);
      assert.equal(await passes(world.clock, link, back), true);
      assert.equal(await passes(world.clock, back, link), true);
      assert.deepEqual([one.stack.made.length, other.stack.made.length], [1, 1]);
    });
  }

  it("[T-31] both sides restore at once after an outage of 8 s: three more offers at most, works within 20 s", async () => {
    const world = new WebRtcWorld();
    const { link, back } = await world.linked(100, 200);
    world.server.delay = paused;
    world.paths.open = false;
    await world.clock.advance(8_000);
    world.server.delay = flowing;
    world.paths.open = true;
    const before = world.server.sent("restart").length;
    const outcomes = [recover(link), recover(back)];
    await world.clock.advance(20_000);
    assert.ok(outcomes.every(({ result }) => result === true));
    assert.ok(world.server.sent("restart").length <= before + 3);
    assert.equal(await passes(world.clock, link, back), true);
  });

  it("[T-32] late events of an old connection change nothing for the new one", async () => {
    const world = new WebRtcWorld();
    const { one, other, link } = await world.linked(100, 200);
    const old = one.stack.last;
    await Promise.all([link.close("over"), world.clock.advance(1_000)]);
    const dial = one.dial(other);
    await world.clock.settle();
    const fresh = await dial.link;
    for (const state of ["failed", "connected", "closed"] as const) old.tellLate(state);
    await world.clock.advance(10_000);
    assert.equal(one.transport.connections, 1);
    assert.equal(await passes(world.clock, fresh, other.links.at(-1) as Link), true);
  });

  it("[T-37] the end of one channel is the end of the connection, and its entry", async () => {
    const world = new WebRtcWorld();
    const { one, other, link, back } = await world.linked(100, 200);
    one.stack.last.channels.find(({ label }) => label === "RPC_RELIABLE")?.end();
    await world.clock.settle();
    await Promise.all([link.closed, back.closed]);
    assert.ok(one.stack.last.channels.every(({ state }) => state === "closed"));
    assert.deepEqual([one.transport.connections, other.transport.connections], [0, 0]);
  });

  it("ends an answerer's connection that failed for 60 s, or was disconnected for 90 s", async () => {
    for (const [state, ms] of [
      ["failed", 60_000],
      ["disconnected", 90_000],
    ] as const) {
      const world = new WebRtcWorld();
      const { other } = await world.linked(100, 200);
      other.signaling.connected = false;
      other.stack.last.change(state);
      await world.clock.advance(ms - 1);
      assert.equal(other.transport.connections, 1);
      await world.clock.advance(1);
      assert.equal(other.transport.connections, 0);
    }
  });
});
