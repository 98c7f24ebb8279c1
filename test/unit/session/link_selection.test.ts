import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { DialOptions } from "../../../src/ports/transport.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { calling, envelopes, respond } from "../outbound/support.ts";
import { FakeLink, FakeTransport, peerId, type Sessions, sessions } from "./support.ts";

const never = new AbortController().signal;
const far = peerId(2);
const farKey = formatActrId(far);

/** A link that answers questions when the test says so. */
class AskedLink extends FakeLink {
  readonly questions: ((works: boolean) => void)[] = [];

  recover(): Promise<boolean> {
    return new Promise((resolve) => this.questions.push(resolve));
  }

  override end(...end: Parameters<FakeLink["end"]>): void {
    super.end(...end);
    for (const answer of this.questions) answer(false);
  }
}

/** A link that tells when it works. */
class TellingLink extends FakeLink {
  tell: (works: boolean) => void = () => {};

  onWorking(tell: (works: boolean) => void): void {
    this.tell = tell;
  }
}

/** Dials that the test ends: WebRTC is better, WebSocket is quicker. */
interface Race extends Sessions {
  readonly webrtc: FakeTransport;
  readonly websocket: FakeTransport;
  readonly socketLink: AskedLink;
  readonly rtcLink: TellingLink;
  /** WebRTC is there. */
  arrive: (link?: FakeLink) => void;
  fail: (error: unknown) => void;
  rtcSignal: AbortSignal | undefined;
}

function race(): Race {
  const websocket = new FakeTransport("websocket");
  const webrtc = new FakeTransport("webrtc", true);
  const world = Object.assign(sessions({}, websocket, [webrtc]), {
    webrtc,
    websocket,
    socketLink: new AskedLink(far, "outbound", "websocket"),
    rtcLink: new TellingLink(far, "outbound", "webrtc"),
    arrive: (_link?: FakeLink) => {},
    fail: (_error: unknown) => {},
    rtcSignal: undefined as AbortSignal | undefined,
  });
  websocket.onDial = async () => world.socketLink;
  webrtc.onDial = (_address, { signal }: DialOptions) => {
    world.rtcSignal = signal;
    return new Promise((resolve, reject) => {
      world.arrive = (link = world.rtcLink) => resolve(link);
      world.fail = reject;
    });
  };
  return world;
}

const acquire = ({ manager }: Sessions): Promise<unknown> => manager.acquire(far, farKey, never);

/** Both links are up and requests leave by WebRTC. */
async function moved(): Promise<Race> {
  const t = race();
  await acquire(t);
  t.arrive();
  await t.clock.settle();
  t.socketLink.questions[0]?.(true);
  await t.clock.settle();
  return t;
}

describe("link selection", () => {
  it("starts both at once and takes what is ready first", async () => {
    const t = race();
    const link = await acquire(t);
    assert.equal(link, t.socketLink);
    assert.deepEqual([t.websocket.dials.length, t.webrtc.dials.length], [1, 1]);
    t.fail(new Error("no path"));
    await t.clock.settle();
    assert.equal(t.manager.requestLink(farKey), t.socketLink);
    assert.deepEqual(t.told.slice(2), ["linked 2 outbound", "unlinked 2 lost"]);
  });

  it("takes the slower when the quicker fails, and fails when both do", async () => {
    const t = race();
    t.websocket.onDial = () => Promise.reject(new Error("refused"));
    const acquired = acquire(t);
    await t.clock.settle();
    t.arrive();
    assert.equal(await acquired, t.rtcLink);
    const other = race();
    other.websocket.onDial = () => Promise.reject(new Error("refused"));
    const failed = assert.rejects(acquire(other), { code: "unavailable" });
    await other.clock.settle();
    other.fail(new Error("no path"));
    await failed;
  });

  it("moves requests to WebRTC once the WebSocket has answered what went behind the last of them", async () => {
    const t = race();
    await acquire(t);
    t.arrive();
    await t.clock.settle();
    assert.equal(t.socketLink.questions.length, 1);
    assert.equal(t.manager.requestLink(farKey), undefined, "held until then");
    const waiting = acquire(t);
    await t.clock.settle();
    t.socketLink.questions[0]?.(true);
    assert.equal(await waiting, t.rtcLink);
    assert.equal(t.manager.requestLink(farKey), t.rtcLink);
    assert.equal(
      t.socketLink.closedWith,
      undefined,
      "the other stays for answers, streams and bad times",
    );
    assert.equal(t.manager.session(farKey)?.replyLink(t.socketLink), t.socketLink);
    assert.deepEqual([t.websocket.dials.length, t.webrtc.dials.length], [1, 1]);
  });

  it("drops the WebSocket when that does not answer", async () => {
    const t = race();
    await acquire(t);
    t.arrive();
    await t.clock.settle();
    t.socketLink.questions[0]?.(false);
    await t.clock.settle();
    assert.equal(t.manager.requestLink(farKey), t.rtcLink);
    assert.equal(t.socketLink.closedWith?.by, "local");
  });

  it("gives a caller up that leaves while requests are held", async () => {
    const t = race();
    await acquire(t);
    t.arrive();
    await t.clock.settle();
    const abort = new AbortController();
    const waiting = t.manager.acquire(far, farKey, abort.signal);
    const left = assert.rejects(waiting, /gone/);
    abort.abort(new Error("gone"));
    await left;
  });

  it("uses the WebSocket while WebRTC recovers, and WebRTC again afterwards", async () => {
    const t = await moved();
    t.rtcLink.tell(false);
    assert.equal(t.manager.requestLink(farKey), t.socketLink);
    t.rtcLink.tell(true);
    assert.equal(t.manager.requestLink(farKey), undefined);
    t.socketLink.questions[1]?.(true);
    await t.clock.settle();
    assert.equal(t.manager.requestLink(farKey), t.rtcLink);
    assert.equal(t.clock.pending, 0);
  });

  it("[T-68] goes on by WebSocket when WebRTC ends; the end of an older WebRTC link changes nothing", async () => {
    const t = await moved();
    const next = new TellingLink(far, "inbound", "webrtc");
    t.manager.accept(next);
    t.rtcLink.end();
    await t.clock.settle();
    assert.equal(t.manager.requestLink(farKey), next);
    next.end();
    await t.clock.settle();
    assert.equal(await acquire(t), t.socketLink);
    assert.equal(t.socketLink.closedWith, undefined);
    t.rtcLink.tell(true);
    t.rtcLink.tell(false);
    assert.equal(t.manager.requestLink(farKey), t.socketLink);
  });

  it("[T-68] sends a request by WebSocket, under the same id, that WebRTC could not take", async () => {
    const t = await moved();
    const { caller } = calling({}, t);
    t.rtcLink.failures.push(new ActrError("unavailable", "the channel is closed"));
    const call = caller.call(far, "acme.Echo.Echo", Uint8Array.of(1));
    t.rtcLink.end();
    await t.clock.advance(1_000);
    const [first] = envelopes(t.rtcLink);
    const [second, ...more] = envelopes(t.socketLink);
    assert.equal(second?.requestId, first?.requestId);
    assert.equal(more.length, 0);
    respond(t.socketLink, second, { payload: Uint8Array.of(2) });
    assert.deepEqual(await call, Uint8Array.of(2));
  });

  it("[T-68] fails at once when there was WebRTC alone and it cannot be had again", async () => {
    const t = await moved();
    t.socketLink.end();
    t.rtcLink.end();
    for (const transport of [t.websocket, t.webrtc]) {
      transport.onDial = () => Promise.reject(new ActrError("unavailable", "refused"));
    }
    await t.clock.settle();
    await assert.rejects(acquire(t), { code: "unavailable", message: "refused" });
    assert.equal(t.clock.pending, 0);
  });

  it("[T-35] refuses with a hint while the only link recovers, and replaces it after 6 s", async () => {
    const t = await moved();
    t.socketLink.end();
    t.rtcLink.tell(false);
    await t.clock.advance(2_000);
    await assert.rejects(acquire(t), { code: "connection_not_ready", retryAfterMs: 4_300 });
    await t.clock.advance(5_000);
    await assert.rejects(acquire(t), { code: "connection_not_ready", retryAfterMs: undefined });
    await t.clock.settle();
    assert.equal(t.rtcLink.closedWith?.by, "local");
    assert.equal(t.manager.size, 0);
  });

  it("dials a transport once, also when another caller comes while the slower is still on its way", async () => {
    const t = race();
    await acquire(t);
    t.socketLink.end();
    t.websocket.onDial = () => Promise.reject(new Error("gone for good"));
    await t.clock.settle();
    const [one, two] = [acquire(t), acquire(t)];
    await t.clock.settle();
    t.arrive();
    assert.deepEqual(await Promise.all([one, two]), [t.rtcLink, t.rtcLink]);
    assert.equal(t.webrtc.dials.length, 1);
    assert.equal(t.manager.size, 1);
  });

  it("ends the slower dial with its own deadline, or with the sessions", async () => {
    const t = race();
    await acquire(t);
    await t.clock.advance(10_000);
    assert.equal(ActrError.from(t.rtcSignal?.reason).code, "timed_out");
    t.fail(t.rtcSignal?.reason);
    const other = race();
    await acquire(other);
    const closed = other.manager.close("over");
    assert.equal(ActrError.from(other.rtcSignal?.reason).code, "stopping");
    other.fail(other.rtcSignal?.reason);
    await closed;
    await t.manager.close("over");
    assert.deepEqual([t.clock.pending, other.clock.pending], [0, 0]);
  });

  it("closes a link that comes after its deadline", async () => {
    const t = race();
    await acquire(t);
    await t.clock.advance(10_000);
    t.arrive();
    await t.clock.settle();
    assert.equal(t.rtcLink.closedWith?.by, "local");
    assert.equal(t.manager.requestLink(farKey), t.socketLink);
  });
});
