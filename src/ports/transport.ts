import type { Frame, Lane } from "../protocol/frame.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { LinkMedia } from "./media.ts";

/** What a transport can carry: data, so that suites and callers branch on it and never on names. */
export interface TransportCapabilities {
  /** Lanes that frames may be sent on. */
  readonly lanes: readonly Lane[];
  /** Largest frame body in bytes; a longer one is refused with `invalid_argument`. */
  readonly maxBodyBytes: number;
  /** Whether {@link Transport.listen} exists. */
  readonly listens: boolean;
  /** Whether the listening side may send requests and streams on a link that it accepted, toward any Actr peer (`spec/transport.md` §5.4: not on WebSocket). */
  readonly bidirectional: boolean;
  /** Whether its links may have {@link Link.media}. @default false */
  readonly media?: boolean;
}

/** Where a peer can be reached. */
export interface PeerAddress {
  readonly id: ActrId;
  /** A direct WebSocket address learned from discovery, when the peer advertises one. */
  readonly url?: string;
}

/** Bounds of one dial. */
export interface DialOptions {
  /** Aborts the dial, also after the connection is up but not yet handed over. */
  readonly signal: AbortSignal;
}

/** Bounds of one send, and who else wants to hear of it. */
export interface SendOptions {
  /** Aborts the wait for room; the frame may then not have been sent. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called once when the link needs the frame's bytes no more, since it has copied them or will never send them: perhaps
   * before `send` returns. A link that keeps them never calls it.
   */
  readonly released?: () => void;
}

/** Bounds of one close. */
export interface CloseOptions {
  /** After which a close is forced whatever is still buffered, milliseconds. @default the transport's own */
  readonly withinMs?: number;
}

/** Why a link ended. */
export interface LinkClosed {
  /** `local`: this side closed it; `remote`: the other did; `lost`: it was found dead or failed. */
  readonly by: "local" | "remote" | "lost";
  /** Short text for logs. */
  readonly reason: string;
}

/** What a link has carried so far. Bytes are those of frame bodies. */
export interface LinkFigures {
  readonly sentFrames: number;
  readonly sentBytes: number;
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  /** How long the peer took to answer a heartbeat last, milliseconds, where the transport knows. */
  readonly rttMs?: number | undefined;
  /** How often another path was looked for. */
  readonly restarts?: number;
}

/** Frames of a link in arrival order, to be iterated once. */
export interface FrameStream extends AsyncIterable<Frame> {
  /** The next frame if it is here already, so that frames of one turn cost one wait. */
  poll(): Frame | undefined;
}

/** One transport connection to one verified peer. */
export interface Link {
  /** The transport's name. */
  readonly transport: string;
  /** The peer at the other end, verified before the link was handed over. */
  readonly peer: ActrId;
  readonly direction: "inbound" | "outbound";
  /** Whether the peer, which opened this link, said that it takes requests and streams on it, whatever the transport's others do. */
  readonly duplex?: boolean;
  /** Whether a relay carries it, where that is known. */
  readonly relayed?: boolean;
  /** Audio and video, where the link carries any. */
  readonly media?: LinkMedia;
  /** What the peer sends. Ends when the link closes. Not reading it pushes back on the sender. */
  readonly frames: FrameStream;
  /** More of what the peer sends, read beside {@link Link.frames}, where lanes do not wait for each other. They end with the link too. */
  readonly streams?: readonly FrameStream[];
  /** Resolves (never rejects) when the link is gone. */
  readonly closed: Promise<LinkClosed>;
  /** Bytes accepted by {@link Link.send} and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** The same of one lane, where lanes do not wait for each other. */
  bufferedOn?(lane: Lane): number;
  /** Absent where the transport does not count. */
  readonly figures?: LinkFigures;
  /**
   * Sends one frame; resolves when the link is below its high-water mark, or gone.
   * @throws ActrError `unavailable` when the link is closed, `invalid_argument` when the body is too long or the lane
   * is none of the transport's, `overloaded` when the peer has not taken what was sent before.
   */
  send(frame: Frame, options?: SendOptions): Promise<void>;
  /**
   * The network may have changed: finds out within `limitMs` whether the link works on, or makes it work again, and
   * resolves with that. Absent where the transport needs no such question. Never rejects.
   */
  recover?(limitMs: number): Promise<boolean>;
  /** Tells each time that the link has stopped to work though it has not ended, and when it works again; at once, when it does not work now. */
  onWorking?(tell: (works: boolean) => void): void;
  /** Sends what is buffered, then closes; forced after a bounded time. Idempotent: the bounds of the first call hold. */
  close(reason: string, options?: CloseOptions): Promise<void>;
}

/** Stops accepting links; links already accepted live on. */
export interface Listener extends AsyncDisposable {
  /** The address to advertise, when the transport has one of its own. */
  readonly url?: string;
}

/** Bounds of a listener. */
export interface ListenOptions {
  readonly signal: AbortSignal;
}

/** A way to reach peers. */
export interface Transport {
  readonly name: string;
  readonly capabilities: TransportCapabilities;
  /** Whether this transport knows a way to `address`; a cheap, synchronous answer. */
  canDial(address: PeerAddress): boolean;
  /** Opens a link to a peer. @throws ActrError `unavailable`, `permission_denied`, or the signal's reason. */
  dial(address: PeerAddress, options: DialOptions): Promise<Link>;
  /** Hands over links that peers open, each verified. */
  listen?(onLink: (link: Link) => void, options: ListenOptions): Promise<Listener>;
}
