import type { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import type { LiveTrack, MediaSample, MediaTrack } from "../../../src/media.ts";
import type { LocalTrack, MediaCapabilities, RemoteTrack } from "../../../src/ports/media.ts";
import type {
  CandidatePair,
  Channel,
  ChannelHandler,
  ChannelOptions,
  Description,
  IceCandidate,
  PeerConnection,
  PeerConnectionHandler,
  PeerConnectionState,
  PeerConnections,
  PeerConnectionsCapabilities,
} from "../../../src/ports/peer_connections.ts";

/** The paths between fake connections: two find each other when each has the other's description and one a candidate. */
export class FakePaths {
  readonly clock: FakeClock;
  readonly connections: FakeConnection[] = [];
  /** What connections say of the path in use. */
  pair: CandidatePair | undefined | Promise<CandidatePair> = { local: "host", remote: "host" };
  /** What stacks wait for before they take a description. */
  slowness: Promise<void> = Promise.resolve();
  /** Whether stacks can restart ICE. */
  restarts = true;
  /** Nothing arrives any more, and no stack has noticed. */
  blackhole = false;
  #open = true;
  #lastFragment = Number.POSITIVE_INFINITY;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Blocks every path, or opens them again; connections that are up notice at once. */
  set open(open: boolean) {
    this.#open = open;
    for (const connection of this.connections) {
      if (!open && connection.state === "connected") connection.change("disconnected");
    }
  }

  /** Index of the last fragment of a message that channels take. Those that have refused one take it when this is raised. */
  get lastFragment(): number {
    return this.#lastFragment;
  }

  set lastFragment(index: number) {
    this.#lastFragment = index;
    for (const { channels } of this.connections) for (const channel of channels) channel.drain();
  }

  /** Lets connections find each other that can. */
  look(): void {
    if (!this.#open) return;
    for (const one of this.connections) {
      const other = this.connections.find((each) => each !== one && one.knows(each));
      if (other?.knows(one) && (one.hasCandidate || other.hasCandidate)) one.meet(other);
    }
  }
}

const media: MediaCapabilities = { form: "rtp", codecs: ["opus", "VP8"], maxSampleBytes: 1_200 };

/** A WebRTC stack without a network. */
export class FakeStack implements PeerConnections {
  readonly name = "fake";
  readonly capabilities: PeerConnectionsCapabilities = {
    media,
    turnTcp: false,
    iceRestart: true,
    maxMessageBytes: 262_144,
    lowWaterEvents: true,
    noticesLossWithinMs: 5_000,
    mediaNeedsExit: false,
  };
  readonly made: FakeConnection[] = [];
  readonly #paths: FakePaths;

  constructor(paths: FakePaths) {
    this.#paths = paths;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.made.at(-1);
    if (last === undefined) throw new Error("no connection was made");
    return last;
  }

  create(_options: unknown, handler: PeerConnectionHandler): FakeConnection {
    const connection = new FakeConnection(this.#paths, handler);
    this.made.push(connection);
    return connection;
  }
}

/** One end of a connection without a network. */
export class FakeConnection implements PeerConnection {
  readonly channels: FakeChannel[] = [];
  readonly added: IceCandidate[] = [];
  /** How often it was asked for the path in use. */
  asks = 0;
  /** Fragments of the peer's descriptions that it was given. */
  readonly remotes: string[] = [];
  state: PeerConnectionState = "new";
  /** Tracks of this side, by name. */
  readonly tracks: Map<string, LocalTrack> = new Map();
  /** What tracks of this side are made of, by name, where it was said. */
  readonly sources: Map<string, LiveTrack> = new Map();
  /** Tracks of the peer, as its last description names them. */
  peerTracks: readonly string[] = [];
  /** Offers of its own that it undid for one of the peer's. */
  rollbacks = 0;
  readonly #paths: FakePaths;
  readonly #handler: PeerConnectionHandler;
  readonly #number: number;
  #generation = 0;
  #local = "";
  #remote = "";
  #offered = false;
  /** Whether an offer of this side was not answered. */
  #asking = false;

  constructor(paths: FakePaths, handler: PeerConnectionHandler) {
    this.#paths = paths;
    this.#handler = handler;
    this.#number = paths.connections.push(this);
  }

  get hasCandidate(): boolean {
    return this.added.some(({ usernameFragment }) => usernameFragment === this.#remote);
  }

  knows(other: FakeConnection): boolean {
    return this.state !== "closed" && this.#remote !== "" && this.#remote === other.#local;
  }

  async createOffer({ iceRestart = false } = {}): Promise<Description> {
    if (iceRestart && !this.#paths.restarts) throw new ActrError("not_implemented", "no restart");
    this.#offered = true;
    this.#asking = true;
    return { type: "offer", sdp: this.#describe(iceRestart) };
  }

  async createAnswer(): Promise<Description> {
    return { type: "answer", sdp: this.#describe(true) };
  }

  async setRemote({ type, sdp }: Description): Promise<void> {
    if (this.state === "closed") throw new ActrError("unavailable", "closed");
    const fragment = /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];
    if (fragment === undefined) throw new ActrError("invalid_argument", "no description");
    await this.#paths.slowness;
    if (type === "answer" && !this.#asking) {
      throw new ActrError("invalid_argument", "an answer to nothing");
    }
    if (type === "offer" && this.#asking) this.rollbacks++;
    this.#asking = false;
    this.#remote = fragment;
    this.#named([...sdp.matchAll(/^a=msid:fake (\S+)/gm)].map(([, id = ""]) => id));
    this.remotes.push(fragment);
    this.#paths.clock.defer(() => this.#paths.look());
  }

  async addCandidate(candidate: IceCandidate): Promise<void> {
    this.added.push(candidate);
    this.#paths.clock.defer(() => this.#paths.look());
  }

  createChannel(label: string, options: ChannelOptions = {}): FakeChannel {
    const channel = new FakeChannel(label, this.#paths, options);
    this.channels.push(channel);
    return channel;
  }

  addTrack({ id, codec, source }: MediaTrack): LocalTrack {
    const send = (sample: MediaSample): boolean => {
      const peer = this.#paths.connections.find((other) => other.knows(this));
      if (peer?.peerTracks.includes(id) !== true) return false;
      peer.#handler.sample?.(id, sample);
      return true;
    };
    const track: LocalTrack = { id, codec, send, replace: (other) => this.sources.set(id, other) };
    if (source !== undefined) track.replace(source);
    this.tracks.set(id, track);
    return track;
  }

  removeTrack(id: string): void {
    this.tracks.delete(id);
  }

  async candidatePair(): Promise<CandidatePair | undefined> {
    this.asks += 1;
    return this.#paths.pair;
  }

  close(): void {
    if (this.state === "closed") return;
    this.#named([]);
    for (const channel of this.channels) channel.end();
    this.change("closed");
  }

  /** The state changes, as the stack would tell. */
  change(state: PeerConnectionState): void {
    if (state === this.state || this.state === "closed") return;
    this.state = state;
    this.#handler.state(state);
  }

  /** Tells of a state whatever happened before, as a stack whose events come late. */
  tellLate(state: PeerConnectionState): void {
    this.#handler.state(state);
  }

  /** A path to `other` is there. */
  meet(other: FakeConnection): void {
    for (const each of [this, other]) each.change("connected");
    for (const channel of this.channels) channel.connect(other);
    for (const channel of other.channels) channel.connect(this);
  }

  /** The peer opens a channel. */
  offer(channel: FakeChannel): void {
    this.channels.push(channel);
    this.#handler.channel(channel);
  }

  /** The peer sends a track. */
  tell(track: RemoteTrack): void {
    this.#handler.track?.(track);
  }

  #named(peerTracks: readonly string[]): void {
    const before = this.peerTracks;
    this.peerTracks = peerTracks;
    for (const id of before) if (!peerTracks.includes(id)) this.#handler.trackEnded?.(id);
    const peer = this.#paths.connections.find((other) => other.#local === this.#remote);
    for (const id of peerTracks) {
      const source = peer?.sources.get(id);
      if (before.includes(id) || source === undefined) continue;
      this.tell({ id, kind: "video", codec: "VP8", live: source });
    }
  }

  #describe(renew: boolean): string {
    if (renew || this.#generation === 0) this.#generation++;
    const fragment = `c${this.#number}g${this.#generation}`;
    this.#local = fragment;
    this.#paths.clock.defer(() =>
      this.#handler.candidate({
        candidate: `candidate:1 1 udp 1 10.0.0.${this.#number} 9 typ host`,
        sdpMid: "0",
        sdpMLineIndex: 0,
        usernameFragment: fragment,
      }),
    );
    const role = this.#offered ? "actpass" : "active";
    const tracks = [...this.tracks.keys()].map((id) => `a=msid:fake ${id}\r\n`).join("");
    return `v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=setup:${role}\r\na=ice-ufrag:${fragment}\r\n${tracks}`;
  }
}

/** One end of a channel without a network. What is sent while the path is blocked arrives later, unless the channel gives up on it. */
export class FakeChannel implements Channel {
  readonly label: string;
  readonly bufferedAmount = 0;
  readonly maxMessageBytes = 65_535;
  /** Messages that were taken. */
  sent = 0;
  state: Channel["state"] = "connecting";
  #handler: ChannelHandler | undefined;
  readonly #paths: FakePaths;
  readonly #options: ChannelOptions;
  #other: FakeChannel | undefined;
  #underWay: Uint8Array[] = [];
  /** Whether it has refused a message since it was last drained. */
  #full = false;

  constructor(label: string, paths: FakePaths, options: ChannelOptions) {
    this.label = label;
    this.#paths = paths;
    this.#options = options;
  }

  send(data: Uint8Array): void {
    if (fragmentIndexOf(data) > this.#paths.lastFragment) {
      this.#full = true;
      throw new ActrError("overloaded", "full");
    }
    this.sent += 1;
    this.#underWay.push(data.slice());
    queueMicrotask(() => this.flush());
  }

  /** Delivers what is under way, unless the path is blocked. */
  flush(): void {
    const waits = !this.#paths.open && this.#options.maxRetransmits === undefined;
    if (waits || this.state !== "open") return;
    for (const data of this.#underWay.splice(0)) this.#other?.receive(data);
  }

  /** There is room for a message that was refused, perhaps. */
  drain(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#handler?.drained?.();
  }

  receive(data: Uint8Array): void {
    if (this.state !== "open" || this.#paths.blackhole) return;
    if (this.#paths.open) this.#handler?.message(data);
  }

  handle(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  /** Opens at both ends, unless it has. */
  connect(peer: FakeConnection): void {
    if (this.#other !== undefined) return this.flush();
    const other = new FakeChannel(this.label, this.#paths, this.#options);
    other.#other = this;
    this.#other = other;
    peer.offer(other);
    for (const each of [this, other]) each.#opened();
  }

  end(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#handler?.closed();
    if (this.#paths.open) this.#other?.end();
  }

  #opened(): void {
    this.state = "open";
    this.#handler?.open?.();
  }
}

/** Where a message stands among those of its body (`spec/transport.md` §3). */
function fragmentIndexOf(message: Uint8Array): number {
  return ((message[4] ?? 0) << 8) | (message[5] ?? 0);
}
