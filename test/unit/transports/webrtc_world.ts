import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import type { Link } from "../../../src/ports/transport.ts";
import { type Frame, lanes } from "../../../src/protocol/frame.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import type { WebRtcOptions } from "../../../transports/webrtc/webrtc_options.ts";
import { WebRtcTransport } from "../../../transports/webrtc/webrtc_transport.ts";
import { RecordingLogger } from "../identity/support.ts";
import { FakeServer, type FakeSignaling } from "./fake_signaling.ts";
import { FakePaths, FakeStack } from "./fake_webrtc.ts";

const type = { manufacturer: "acme", name: "Peer", version: "1.0.0" };

/** A node of {@link WebRtcWorld}. */
export class WebRtcNode {
  readonly id: ActrId;
  readonly signaling: FakeSignaling;
  readonly stack: FakeStack;
  readonly transport: WebRtcTransport;
  readonly log: RecordingLogger = new RecordingLogger();
  /** Links that peers opened. */
  readonly links: Link[] = [];
  readonly #clock: FakeClock;

  constructor(world: WebRtcWorld, serial: number, options: Partial<WebRtcOptions> = {}) {
    const { clock, server, paths, log } = { ...world, log: this.log };
    this.#clock = clock;
    this.id = { realm: 1001, serial: BigInt(serial), type };
    this.signaling = server.join(this.id);
    this.stack = new FakeStack(paths);
    this.transport = new WebRtcTransport(
      {
        clock,
        log,
        random: new SeededRandom(serial),
        signaling: this.signaling,
        peerConnections: async () => this.stack,
        self: () => this.id,
        turnLogin: () => undefined,
      },
      options,
    );
  }

  async listen(): Promise<AsyncDisposable> {
    return await this.transport.listen((link) => void this.links.push(link), {
      signal: new AbortController().signal,
    });
  }

  /** Begins a dial; how it ends can be seen at once. */
  dial(peer: WebRtcNode): Dial {
    return new Dial(this.transport, peer.id, this.#clock);
  }
}

/** A dial under way. */
export class Dial {
  readonly abort: AbortController = new AbortController();
  readonly link: Promise<Link>;
  /** The link, once it is there. */
  result: Link | undefined;
  error: unknown;
  /** When it ended, monotonic milliseconds. */
  endedAt: number | undefined;

  constructor(transport: WebRtcTransport, id: ActrId, clock: FakeClock) {
    this.link = transport.dial({ id }, { signal: this.abort.signal });
    this.link
      .then(
        (link) => {
          this.result = link;
        },
        (error: unknown) => {
          this.error = error;
        },
      )
      .finally(() => {
        this.endedAt = clock.monotonic();
      });
  }
}

/** Nodes with fake time, signaling and paths. In it, the smaller serial number offers. */
export class WebRtcWorld {
  readonly clock: FakeClock = new FakeClock();
  readonly server: FakeServer = new FakeServer(this.clock);
  readonly paths: FakePaths = new FakePaths(this.clock);

  async node(serial: number, options: Partial<WebRtcOptions> = {}): Promise<WebRtcNode> {
    const node = new WebRtcNode(this, serial, options);
    await node.listen();
    return node;
  }

  /** Two nodes with a link between them; the first has dialled. */
  async linked(near: number, far: number) {
    const [one, other] = [await this.node(near), await this.node(far)];
    const dial = one.dial(other);
    await this.clock.settle();
    const link = await dial.link;
    const [back] = other.links;
    if (back === undefined) throw new Error("the peer has no link");
    return { one, other, link, back };
  }
}

/** Whether a frame passes from one end to the other. */
export async function passes(clock: FakeClock, from: Link, to: Link): Promise<boolean> {
  const frame: Frame = { lane: lanes.rpcReliable, body: Uint8Array.of(1, 2, 3) };
  await from.send(frame);
  await clock.settle();
  return to.frames.poll()?.body.length === 3;
}
