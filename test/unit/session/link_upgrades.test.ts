import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { FakeLink, FakeTransport, peerId, type Sessions, sessions } from "./support.ts";

const never = new AbortController().signal;
const far = peerId(2);
const farKey = formatActrId(far);
const minute = 60_000;

/** Requests leave by WebSocket; a dial of WebRTC fails unless the test says otherwise. */
interface World extends Sessions {
  readonly webrtc: FakeTransport;
  readonly websocket: FakeTransport;
}

async function onWebSocket(): Promise<World> {
  const websocket = new FakeTransport("websocket");
  const webrtc = new FakeTransport("webrtc", true);
  webrtc.onDial = () => Promise.reject(new ActrError("unavailable", "no path"));
  const world = Object.assign(sessions({}, websocket, [webrtc]), { webrtc, websocket });
  await world.manager.acquire(far, farKey, never);
  await world.clock.settle();
  assert.equal(webrtc.dials.length, 1, "the first race");
  return world;
}

/** Sends requests every second for `ms`; when each further dial of WebRTC began, since then. */
async function busy({ clock, manager, webrtc }: World, ms: number): Promise<number[]> {
  const begunAt = clock.monotonic();
  const at: number[] = [];
  const dial = webrtc.onDial;
  webrtc.onDial = (...dialled) => {
    at.push(clock.monotonic() - begunAt);
    return dial(...dialled);
  };
  for (let passed = 0; passed < ms; passed += 1_000) {
    manager.requestLink(farKey);
    await clock.advance(1_000);
  }
  webrtc.onDial = dial;
  return at;
}

describe("link upgrades", () => {
  it("tries WebRTC again while only the WebSocket is up, ever less often", async () => {
    const t = await onWebSocket();
    const at = await busy(t, 30 * minute);
    const pauses = at.map((each, index) => each - (at[index - 1] ?? 0));
    pauses.slice(0, 6).forEach((pause, tries) => {
      const longest = 5_000 * 2 ** tries;
      assert.ok(pause > longest / 2 - 1 && pause <= longest, `pause ${tries} of ${pause} ms`);
    });
    assert.ok(pauses.every((pause) => pause <= 5 * minute));
    assert.ok(
      pauses.slice(7).every((pause) => pause >= 2.5 * minute),
      "nor for ever longer",
    );
    assert.ok(new Set(pauses.slice(7)).size > 1, "not in step with others");
    assert.equal(t.manager.counts.of("webrtc").failedDials, at.length + 1);
  });

  it("moves requests to it once it is up, and is content", async () => {
    const t = await onWebSocket();
    t.webrtc.onDial = async ({ id }) => new FakeLink(id, "outbound", "webrtc");
    assert.equal((await busy(t, 30_000)).length, 1);
    assert.equal(t.manager.requestLink(farKey), t.webrtc.link);
    assert.equal(t.websocket.link.closedWith, undefined);
    assert.deepEqual(t.manager.counts.of("webrtc").moves, { better: 1, fallback: 0 });
    assert.equal(t.clock.pending, 0);
  });

  it("leaves a session alone that nobody sends requests on, until somebody does", async () => {
    const t = await onWebSocket();
    await t.clock.advance(30 * minute);
    assert.equal(t.webrtc.dials.length, 1);
    assert.equal((await busy(t, 5_000)).length, 1);
  });

  it("tries at once when the network is another one", async () => {
    const t = await onWebSocket();
    await busy(t, 10 * minute);
    const before = t.webrtc.dials.length;
    t.manager.requestLink(farKey);
    t.manager.recover();
    await t.clock.advance(1);
    assert.equal(t.webrtc.dials.length, before + 1);
    assert.equal((await busy(t, 10_000)).length, 1, "and with short pauses again");
  });

  it("has one dial of a peer under way, whoever wants it", async () => {
    const t = await onWebSocket();
    let fail = (_error: Error): void => {};
    t.webrtc.onDial = () =>
      new Promise((_resolve, reject) => {
        fail = reject;
      });
    assert.equal((await busy(t, 8_000)).length, 1);
    t.manager.recover();
    t.manager.requestLink(farKey);
    await t.clock.advance(1);
    t.websocket.link.end();
    await t.clock.settle();
    await t.manager.acquire(far, farKey, never);
    assert.equal(t.webrtc.dials.length, 2);
    fail(new Error("no path"));
  });

  it("goes back to the WebSocket at once when WebRTC is lost, and tries again", async () => {
    const t = await onWebSocket();
    t.webrtc.onDial = async ({ id }) => new FakeLink(id, "outbound", "webrtc");
    await busy(t, 2 * minute);
    t.webrtc.link.end();
    await t.clock.settle();
    assert.equal(t.manager.requestLink(farKey), t.websocket.link);
    const { moves, closed } = t.manager.counts.of("websocket");
    assert.deepEqual([moves.fallback, closed.lost], [1, 0]);
    assert.equal(t.manager.counts.of("webrtc").closed.lost, 1);
    assert.deepEqual((await busy(t, 10_000)).length, 1);
    assert.equal(t.manager.requestLink(farKey), t.webrtc.link);
  });

  it("loses patience with a link that comes and goes", async () => {
    const t = await onWebSocket();
    t.webrtc.onDial = async ({ id }) => {
      const link = new FakeLink(id, "outbound", "webrtc");
      t.clock.timer(t.clock.now() + 1_000, () => link.end());
      return link;
    };
    const tries = await busy(t, 10 * minute);
    assert.ok(tries.length >= 5 && tries.length <= 8, `${tries.length} tries`);
  });

  it("has one timer for all sessions, and none once they are closed or content", async () => {
    const t = await onWebSocket();
    const before = t.clock.pending;
    for (const serial of [3, 4, 5]) {
      const id = peerId(serial);
      await t.manager.acquire(id, formatActrId(id), never);
      await t.clock.settle();
    }
    assert.deepEqual([before, t.clock.pending], [1, 1]);
    await t.manager.closeAll("over");
    await t.clock.settle();
    assert.equal(t.clock.pending, 0);
  });
});
