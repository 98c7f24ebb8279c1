import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { defaultNodeOptions, type SessionOptions } from "../../../src/options.ts";
import type {
  CloseOptions,
  DialOptions,
  Link,
  LinkClosed,
  PeerAddress,
  SendOptions,
  Transport,
  TransportCapabilities,
} from "../../../src/ports/transport.ts";
import { type Frame, lanes } from "../../../src/protocol/frame.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { FrameQueue } from "../../../src/session/frame_queue.ts";
import type { Peer } from "../../../src/session/peer.ts";
import { type SessionEvents, SessionManager } from "../../../src/session/session_manager.ts";
import type { LogRecord } from "../identity/support.ts";
import { RecordingLogger } from "../identity/support.ts";

const type = { manufacturer: "acme", name: "Peer", version: "1.0.0" };

/** The peer with this serial number. */
export function peerId(serial: number): ActrId {
  return { realm: 1001, serial: BigInt(serial), type };
}

/** A link played by the test. */
export class FakeLink implements Link {
  readonly transport: string;
  readonly peer: ActrId;
  readonly direction: "inbound" | "outbound";
  readonly bufferedBytes: number = 0;
  readonly sent: Frame[] = [];
  readonly closed: Promise<LinkClosed>;
  /** What each send does, in order; a send beyond the list succeeds. */
  readonly failures: (unknown | undefined)[] = [];
  closedWith: LinkClosed | undefined;
  closeOptions: CloseOptions | undefined;
  #settle!: (end: LinkClosed) => void;
  readonly frames: FrameQueue = new FrameQueue(1_000_000, { full: () => {}, roomy: () => {} });

  constructor(peer: ActrId, direction: "inbound" | "outbound" = "outbound", transport = "fake") {
    this.peer = peer;
    this.direction = direction;
    this.transport = transport;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  async send(frame: Frame): Promise<void> {
    this.sent.push(frame);
    const failure = this.failures[this.sent.length - 1];
    if (failure !== undefined) throw failure;
  }

  async close(reason: string, options: CloseOptions = {}): Promise<void> {
    this.closeOptions = options;
    this.end({ by: "local", reason });
  }

  /** The peer sends a frame. */
  receive(frame: Frame): void {
    this.frames.push(frame);
  }

  /** The link ends. */
  end(end: LinkClosed = { by: "lost", reason: "gone" }): void {
    if (this.closedWith !== undefined) return;
    this.closedWith = end;
    this.frames.end();
    this.#settle(end);
  }
}

/** A link that keeps no bytes of what it sends, and says so: at once, or when the test has it copy. */
export class CopyingLink extends FakeLink {
  /** The frames that it was given. */
  readonly given: Frame[] = [];
  /** Whether frames wait until {@link CopyingLink.copy}. */
  waits = false;
  readonly #waiting: (() => void)[] = [];

  override async send(frame: Frame, options?: SendOptions): Promise<void> {
    this.given.push(frame);
    const copy = (): void => {
      this.sent.push({ lane: frame.lane, body: frame.body.slice() });
      options?.released?.();
    };
    if (this.waits) this.#waiting.push(copy);
    else copy();
  }

  /** Sends what waits. */
  copy(): void {
    for (const copy of this.#waiting.splice(0)) copy();
  }
}

/** A transport whose dials the test answers; without an answer of the test's each dial succeeds at once. */
export class FakeTransport implements Transport {
  readonly name: string;
  readonly capabilities: TransportCapabilities;
  readonly dials: PeerAddress[] = [];
  readonly links: FakeLink[] = [];
  onDial: (address: PeerAddress, options: DialOptions) => Promise<FakeLink>;

  constructor(name = "fake", bidirectional = false) {
    this.name = name;
    this.capabilities = {
      lanes: Object.values(lanes),
      maxBodyBytes: 1_000_000,
      listens: true,
      bidirectional,
    };
    this.onDial = async ({ id }) => new FakeLink(id, "outbound", name);
  }

  canDial(address: PeerAddress): boolean {
    return address.url !== "nowhere";
  }

  async dial(address: PeerAddress, options: DialOptions): Promise<Link> {
    this.dials.push(address);
    const link = await this.onDial(address, options);
    this.links.push(link);
    return link;
  }

  /** The newest link. */
  get link(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("nothing was dialled");
    return link;
  }
}

/** A session manager over fake transports, with everything that it told. */
export interface Sessions {
  readonly clock: FakeClock;
  readonly transport: FakeTransport;
  readonly manager: SessionManager;
  readonly told: string[];
  readonly records: LogRecord[];
  /** Where peers are said to be, by text id; asked questions in `asked`. */
  readonly urls: Map<string, string>;
  readonly asked: boolean[];
  onFrame: SessionEvents["frame"];
  onUnlinked: (link: Link, end: LinkClosed) => void;
  onExhausted: (peer: Peer, link: Link) => void;
}

export function sessions(
  options: Partial<SessionOptions> = {},
  transport = new FakeTransport(),
  better: readonly Transport[] = [],
): Sessions {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const told: string[] = [];
  const urls = new Map<string, string>();
  const asked: boolean[] = [];
  const world: Omit<Sessions, "manager"> = {
    clock,
    transport,
    told,
    urls,
    asked,
    records: log.records,
    onFrame: () => {},
    onUnlinked: () => {},
    onExhausted: () => {},
  };
  const manager = new SessionManager(
    {
      clock,
      log,
      random: new SeededRandom(1),
      transports: [...better, transport],
      resolve: async (id, { fresh, signal }) => {
        signal.throwIfAborted();
        asked.push(fresh);
        const url = urls.get(formatActrId(id));
        return url === undefined ? { id } : { id, url };
      },
      events: {
        frame: (frame, peer, link) => world.onFrame(frame, peer, link),
        connecting: (id) => void told.push(`connecting ${id.serial}`),
        linked: (id, link) => void told.push(`linked ${id.serial} ${link.direction}`),
        unlinked: (id, _transport, link, end) => {
          told.push(`unlinked ${id.serial} ${end.by}`);
          if (link !== undefined) world.onUnlinked(link, end);
        },
        exhausted: (peer, link) => world.onExhausted(peer, link),
      },
    },
    { ...defaultNodeOptions.session, ...options },
  );
  return Object.assign(world, { manager });
}
