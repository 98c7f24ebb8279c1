import { Calls } from "./calls.ts";
import { DirectWire, dialDirect, verifyDialler } from "./direct.ts";
import { type ActrId, idText } from "./identity.ts";
import { Inbox } from "./inbox.ts";
import { type Registered, register } from "./registration.ts";
import { type RtcHabits, RtcSession } from "./rtc_session.ts";
import { Signaling } from "./signaling.ts";
import { descriptionTypes, type Relayed, type Signal } from "./signals.ts";
import type { WebSocketEnd } from "./websocket.ts";
import { listen, type WebSocketListener } from "./websocket_handshake.ts";
import type { WireEvents } from "./wire.ts";

/** Who the peer is, and how it behaves. */
export interface PeerSettings {
  /** Base address of the identity service. */
  readonly ais: string;
  readonly type: string;
  readonly realm?: number;
  /** Connects as one that must not offer. */
  readonly answersOnly?: boolean;
  /** Takes direct WebSockets. */
  readonly listens?: boolean;
  /** Frames of a dialler are dropped for so long, as while the real listener verifies it, milliseconds. */
  readonly deafMs?: number;
  /** How its WebRTC sessions behave. */
  readonly habits?: RtcHabits;
}

/** An Actr node written from the specification alone: registers, signals, connects both ways, and notes what others do wrong. */
export class ScriptedPeer implements AsyncDisposable {
  readonly registered: Registered;
  readonly signaling: Signaling;
  readonly calls = new Calls();
  /** What others did that no Actr peer may do. */
  readonly complaints: string[] = [];
  /** Sockets that others dialled. */
  readonly dialled = new Inbox<DirectWire>();
  readonly sessions = new Map<string, RtcSession>();
  /** How the next WebRTC sessions behave. */
  habits: RtcHabits;
  readonly #begun = new Inbox<RtcSession>();
  readonly #listener: WebSocketListener | undefined;
  readonly #events: WireEvents = {
    body: (wire, lane, body) => this.calls.take(wire, lane, body),
    complain: (what) => void this.complaints.push(what),
  };

  private constructor(
    registered: Registered,
    signaling: Signaling,
    listener: WebSocketListener | undefined,
    habits: RtcHabits = {},
  ) {
    this.habits = habits;
    this.registered = registered;
    this.signaling = signaling;
    this.#listener = listener;
    signaling.onRelay = (relayed) => this.#relayed(relayed);
  }

  static async start(settings: PeerSettings): Promise<ScriptedPeer> {
    const { ais, type, realm = 1001, deafMs = 0 } = settings;
    let peer: ScriptedPeer | undefined;
    const listener = settings.listens
      ? await listen((socket, headers) =>
          peer === undefined ? socket.destroy() : peer.#dialledBy(socket, headers, deafMs),
        )
      : undefined;
    const address = listener && { wsAddress: `ws://127.0.0.1:${listener.port}` };
    const registered = await register(ais, { type, realm, ...address });
    const url = ais.replace(/^http/, "ws").replace(/\/ais$/, "/signaling/ws");
    const signaling = await Signaling.connect(url, registered, settings.answersOnly);
    peer = new ScriptedPeer(registered, signaling, listener, settings.habits);
    return peer;
  }

  get id(): ActrId {
    return this.registered.id;
  }

  /** The session with a peer, negotiated when there is none. */
  async connect(target: ActrId): Promise<RtcSession> {
    if (this.session(target)?.isOpen !== true) {
      this.#begun.drain();
      this.signaling.relay(target, { kind: "negotiation", from: this.id, to: target });
    }
    return await this.met(target);
  }

  /** The session with a peer as it is now. */
  session(target: ActrId): RtcSession | undefined {
    return this.sessions.get(idText(target));
  }

  /** The session with a peer, whoever wants it, once it is ready; one that is replaced meanwhile does not count. */
  async met(target: ActrId): Promise<RtcSession> {
    const isTheirs = ({ peer }: RtcSession): boolean => idText(peer) === idText(target);
    for (;;) {
      const known = this.session(target);
      const session =
        known?.isOpen === true ? known : await this.#begun.take("a session", isTheirs);
      try {
        await session.ready;
        return session;
      } catch (error) {
        if (this.session(target) === session) throw error;
      }
    }
  }

  /** Offers a new session without asking the server first, in place of any that there is. */
  async offer(target: ActrId): Promise<RtcSession> {
    const session = this.#begin(target, "offerer");
    await session.begin();
    return await this.met(target);
  }

  /** Dials a peer's direct WebSocket. */
  dial(url: string, target: ActrId): Promise<DirectWire> {
    return dialDirect(url, this.registered, target, this.#events);
  }

  /** Leaves; sessions end at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions.values()) session.close();
    this.signaling.leave();
    await this.signaling.socket.closed;
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #relayed({ source, target, signal }: Relayed): void {
    // Some servers name who asked as source of both copies, others the peer of each.
    const peer = idText(source) === idText(this.id) ? target : source;
    if (signal.kind === "assignment") {
      if (signal.isOfferer) void this.#begin(peer, "offerer").begin();
      return;
    }
    const starts = signal.kind === "description" && signal.type === descriptionTypes.offer;
    const known = this.sessions.get(idText(peer));
    const session = starts ? this.#begin(peer, "answerer") : known;
    session?.take(signal);
  }

  #begin(peer: ActrId, role: RtcSession["role"]): RtcSession {
    const key = idText(peer);
    this.sessions.get(key)?.close();
    const send = (signal: Signal): void => this.signaling.relay(peer, signal);
    const session = new RtcSession({ ...this.#events, peer, role, habits: this.habits, send });
    this.sessions.set(key, session);
    this.#begun.push(session);
    return session;
  }

  #dialledBy(socket: WebSocketEnd, headers: ReadonlyMap<string, string>, deafMs: number): void {
    const id = verifyDialler(headers, this.registered.signingKey);
    if (typeof id === "string") return void this.complaints.push(`a dialler with ${id}`);
    const accept = (): void => this.dialled.push(new DirectWire(socket, id, false, this.#events));
    if (deafMs === 0) return accept();
    socket.onMessage = () => {};
    setTimeout(accept, deafMs);
  }
}
