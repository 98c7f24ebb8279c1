import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { ErrorEvent } from "../../../src/hooks.ts";
import { metricsText } from "../../../src/http/metrics.ts";
import type { Link, Listener } from "../../../src/ports/transport.ts";
import { MemoryTransport } from "../../../transports/memory/memory_transport.ts";
import { WebRtcTransport } from "../../../transports/webrtc/webrtc_transport.ts";
import { FakePaths, FakeStack } from "../transports/fake_webrtc.ts";
import { echoNode } from "./support.ts";

const heartbeatMs = 5_000;

/** Two nodes that reach each other by WebRTC and by a second transport, which plays the WebSocket. */
class TwoLinks implements AsyncDisposable {
  readonly world: TestWorld;
  readonly paths: FakePaths;
  readonly errors: ErrorEvent[] = [];
  readonly handled: string[] = [];
  /** What handlers wait for. */
  busy: Promise<void> = Promise.resolve();
  /** The listener of the newest node for links that are not WebRTC. */
  listener: Listener | undefined;
  near!: TestNode;
  far!: TestNode;

  private constructor(world: TestWorld) {
    this.world = world;
    this.paths = new FakePaths(world.clock);
  }

  /** Both links are up, and requests leave by WebRTC. */
  static async open(): Promise<TwoLinks> {
    const pair = new TwoLinks(await TestWorld.open());
    pair.near = await pair.#start();
    pair.far = await pair.#start();
    assert.equal(await pair.call("first"), "first");
    await pair.world.clock.advance(2_000);
    assert.equal(pair.requestLink?.transport, "webrtc");
    return pair;
  }

  get requestLink(): Link | undefined {
    const [session] = this.near.node.outbound.sessions.sessions();
    return session?.requestLink;
  }

  get other(): Link | undefined {
    const [session] = this.near.node.outbound.sessions.sessions();
    return [...(session?.links ?? [])].find(({ transport }) => transport === "memory");
  }

  begin(message: string, timeoutMs = 30_000): Promise<string> {
    const client = this.near.context.service(EchoService, this.far.id);
    return client.echo({ message }, { timeoutMs }).then(({ reply }) => reply);
  }

  call(message: string, timeoutMs?: number): Promise<string> {
    return this.world.clock.through(this.begin(message, timeoutMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.clock.through(this.world[Symbol.asyncDispose]());
  }

  #start(): Promise<TestNode> {
    const { clock, log, hub } = this.world;
    const random = this.world.random();
    const stack = new FakeStack(this.paths);
    const handle = async (text: string): Promise<string> => {
      this.handled.push(text);
      await this.busy;
      return text;
    };
    const onError = (_context: unknown, event: ErrorEvent): void => void this.errors.push(event);
    return TestNode.start(this.world, echoNode(handle, { hooks: { onError } }), {
      components: {
        transports: (own) => {
          const self = () => own.identity().source;
          const parts = { clock, log, random, peerConnections: async () => stack, self, ...own };
          const memory = new MemoryTransport({ clock, log, hub, ...own });
          const listen = memory.listen.bind(memory);
          memory.listen = async (...bounds) => {
            this.listener = await listen(...bounds);
            return this.listener;
          };
          return [new WebRtcTransport(parts), memory];
        },
      },
    });
  }
}

/** How often requests have moved to a better link. */
function movesTo(t: TwoLinks, transport: string): number {
  const line = new RegExp(
    `^roost_link_moves_total\\{transport="${transport}",reason="better"\\} (\\d+)$`,
    "m",
  );
  return Number(line.exec(metricsText(t.near.node))?.[1] ?? 0);
}

describe("two links to a peer", () => {
  it("a blackhole of WebRTC: requests leave by the other within one heartbeat, and by WebRTC again after it", async () => {
    await using t = await TwoLinks.open();
    const { clock } = t.world;
    // Which link was there first, and so whether the first requests moved, is the machine's affair.
    const moved = movesTo(t, "webrtc");
    t.paths.blackhole = true;
    await clock.advance(heartbeatMs);
    assert.equal(t.requestLink?.transport, "memory");
    const begunAt = clock.now();
    assert.equal(await t.call("second"), "second");
    assert.ok(clock.now() - begunAt < 100);
    t.paths.blackhole = false;
    await clock.advance(heartbeatMs);
    assert.equal(t.requestLink?.transport, "webrtc");
    const metrics = metricsText(t.near.node);
    for (const line of [
      'roost_link_interruptions_total{transport="webrtc"} 1',
      'roost_link_moves_total{transport="memory",reason="fallback"} 1',
      'roost_links{transport="webrtc",direction="outbound"} 1',
    ]) {
      assert.ok(metrics.includes(`${line}\n`), line);
    }
    assert.equal(movesTo(t, "webrtc"), moved + 1);
    assert.ok(!metrics.includes("@1001"), "no peer is a label");
  });

  it("a call that the blackhole swallowed is repeated under its id on the other link", async () => {
    await using t = await TwoLinks.open();
    const { clock } = t.world;
    t.paths.blackhole = true;
    const begunAt = clock.now();
    assert.equal(await t.call("swallowed"), "swallowed");
    assert.ok(clock.now() - begunAt <= heartbeatMs + 1_000, `${clock.now() - begunAt} ms`);
    assert.deepEqual(t.handled, ["first", "swallowed"]);
    assert.equal(t.near.node.outbound.pending.size, 0);
  });

  it("a call whose handler is at work when the blackhole opens is done once, and answered by the other link", async () => {
    await using t = await TwoLinks.open();
    const { clock } = t.world;
    let finish = (): void => {};
    t.busy = new Promise((resolve) => {
      finish = resolve;
    });
    const call = t.begin("slow");
    await clock.advance(100);
    t.paths.blackhole = true;
    await clock.advance(heartbeatMs + 1_500);
    finish();
    const finishedAt = clock.now();
    assert.equal(await clock.through(call), "slow");
    assert.ok(clock.now() - finishedAt < 100);
    assert.deepEqual(t.handled, ["first", "slow"]);
  });

  it("half-open WebRTC is given up, told to onError with what streams had sent, and dialled anew", async () => {
    await using t = await TwoLinks.open();
    const { clock } = t.world;
    await t.near.context.streams.send(t.far.id, "file", { payload: Uint8Array.of(1) });
    t.paths.blackhole = true;
    await clock.advance(6 * heartbeatMs);
    const ofNear = t.errors.map(({ category, facts }) => [category, facts["reason"]]);
    const reason = "the peer answers no heartbeat";
    for (const [category, text] of [
      ["transport_failure", reason],
      ["delivery_uncertain", `connection closed: ${reason}`],
    ]) {
      assert.ok(
        ofNear.some(([kind, why]) => kind === category && why === text),
        JSON.stringify(ofNear),
      );
    }
    t.paths.blackhole = false;
    for (let passed = 0; passed < 20; passed++) {
      assert.equal(await t.call("on"), "on");
      await clock.advance(1_000);
    }
    assert.equal(t.requestLink?.transport, "webrtc");
    assert.equal(t.near.node.outbound.sessions.counts.of("webrtc").closed.lost, 1);
  });

  it("the other link ends: requests go on by WebRTC without a pause", async () => {
    await using t = await TwoLinks.open();
    await t.other?.close("test");
    assert.equal(await t.call("second"), "second");
    assert.equal(t.requestLink?.transport, "webrtc");
    assert.deepEqual(t.handled, ["first", "second"]);
  });

  it("a peer that was killed fails calls in time, and answers once it is back", async () => {
    await using t = await TwoLinks.open();
    const { clock } = t.world;
    const lost = t.begin("lost", 20_000).catch((error: unknown) => String(error));
    t.paths.blackhole = true;
    await t.listener?.[Symbol.asyncDispose]();
    await t.far.restart({ crash: true });
    t.paths.blackhole = false;
    const begunAt = clock.now();
    let reply: string | undefined;
    while (reply === undefined && clock.now() - begunAt < 20_000) {
      reply = await t.call("again", 3_000).catch(() => undefined);
      await clock.advance(250);
    }
    assert.equal(reply, "again");
    await clock.through(lost);
    assert.equal(t.near.node.outbound.pending.size, 0);
  });
});
