import type { ActrError } from "../../src/errors.ts";
import type { LiveTrack, MediaSample } from "../../src/media.ts";
import type { RemoteTrack } from "../../src/ports/media.ts";
import type {
  Channel,
  ChannelHandler,
  ChannelOptions,
  IceCandidate,
  LocalCandidate,
  PeerConnection,
  PeerConnectionHandler,
  PeerConnectionOptions,
  PeerConnectionState,
  PeerConnections,
} from "../../src/ports/peer_connections.ts";

/** Something whose changes can be awaited. */
class Watched {
  #waiting: (() => void)[] = [];

  protected changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when `reached` holds, looking again after each event. */
  async until(reached: () => boolean): Promise<void> {
    while (!reached()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A channel and what it told. */
export class ChannelInbox extends Watched implements ChannelHandler {
  readonly channel: Channel;
  readonly messages: Uint8Array[] = [];
  bytes = 0;
  drains = 0;
  opens = 0;
  ends = 0;

  constructor(channel: Channel) {
    super();
    this.channel = channel;
    channel.handle(this);
  }

  open(): void {
    this.opens++;
    this.changed();
  }

  message(data: Uint8Array): void {
    this.messages.push(data);
    this.bytes += data.length;
    this.changed();
  }

  drained(): void {
    this.drains++;
    this.changed();
  }

  closed(): void {
    this.ends++;
    this.changed();
  }
}

/** What a live track plays, a moment of it. */
export type Heard = Required<Pick<MediaSample, "data" | "format">>;

/** What happened at one end of a connection, in order. */
export class End extends Watched implements PeerConnectionHandler {
  readonly states: PeerConnectionState[] = [];
  readonly candidates: LocalCandidate[] = [];
  readonly channels: Map<string, ChannelInbox> = new Map();
  readonly errors: ActrError[] = [];
  /** Tracks of the peer, those that ended, and the samples of each. */
  readonly tracks: RemoteTrack[] = [];
  readonly endedTracks: string[] = [];
  readonly samples: Map<string, MediaSample[]> = new Map();
  readonly connection: PeerConnection;
  /** Whether channels of the peer get a handler. */
  hears = true;
  /** Hears what live tracks play. */
  listen: (track: LiveTrack, tell: (heard: Heard) => void) => void = () => {};
  /** Where candidates go. */
  send: (candidate: IceCandidate) => void = () => {};

  constructor(stack: PeerConnections, options: Partial<PeerConnectionOptions>) {
    super();
    this.connection = stack.create({ iceServers: [], ...options }, this);
  }

  candidate(candidate: LocalCandidate): void {
    this.candidates.push(candidate);
    this.send(candidate);
    this.changed();
  }

  state(state: PeerConnectionState): void {
    this.states.push(state);
    this.changed();
  }

  channel(channel: Channel): void {
    if (this.hears) this.channels.set(channel.label, new ChannelInbox(channel));
    this.changed();
  }

  track(track: RemoteTrack): void {
    this.tracks.push(track);
    const { id, kind, codec, live } = track;
    if (live !== undefined) {
      this.listen(live, (heard) => this.sample(id, { ...heard, timestamp: 0, codec, kind }));
    }
    this.changed();
  }

  trackEnded(id: string): void {
    this.endedTracks.push(id);
    this.changed();
  }

  sample(trackId: string, sample: MediaSample): void {
    this.samples.set(trackId, [...(this.samples.get(trackId) ?? []), sample]);
    this.changed();
  }

  /** What came of a track. */
  samplesOf(trackId: string): readonly MediaSample[] {
    return this.samples.get(trackId) ?? [];
  }

  error(error: ActrError): void {
    this.errors.push(error);
    this.changed();
  }

  /** Opens a channel. */
  createChannel(label: string, options?: ChannelOptions): ChannelInbox {
    const inbox = new ChannelInbox(this.connection.createChannel(label, options));
    this.channels.set(label, inbox);
    return inbox;
  }

  /** The channel of a label. */
  lane(label: string): ChannelInbox {
    const inbox = this.channels.get(label);
    if (inbox === undefined) throw new TypeError(`no channel ${label}`);
    return inbox;
  }
}

/** How a pair is connected. */
export interface PairSettings {
  readonly options?: Partial<PeerConnectionOptions>;
  readonly lanes?: Readonly<Record<string, ChannelOptions>>;
  /** What becomes of a candidate on its way; the other side's stack when it has one of its own. */
  readonly relay?: (candidate: IceCandidate) => IceCandidate;
  /** The answerer's stack. @default the offerer's */
  readonly answerer?: PeerConnections;
  /** Whether the answerer's candidates overtake its description. @default false */
  readonly early?: boolean;
}

/** Two connections, the offerer first, whose lanes are open at both. */
export interface ConnectionPair extends Disposable {
  readonly a: End;
  readonly b: End;
  /** Both ends' first lane. */
  readonly sender: ChannelInbox;
  readonly receiver: ChannelInbox;
}

/** Connects two ends within this process. */
export async function connectionPair(
  stack: PeerConnections,
  settings: PairSettings = {},
): Promise<ConnectionPair> {
  const { options = {}, lanes = { lane: {} }, relay = (candidate) => candidate } = settings;
  const a = new End(stack, options);
  const b = new End(settings.answerer ?? stack, options);
  const labels = Object.keys(lanes);
  for (const label of labels) a.createChannel(label, lanes[label]);
  deliver(a, b, relay);
  if (settings.early !== true) deliver(b, a, relay);
  if (settings.early === true) await answerLate(a, b, relay);
  else await negotiate(a, b);
  await b.until(() => labels.every((label) => b.channels.has(label)));
  for (const end of [a, b]) {
    for (const label of labels) {
      const inbox = end.lane(label);
      await inbox.until(() => inbox.channel.state === "open");
    }
  }
  const first = labels[0] ?? "";
  return {
    a,
    b,
    sender: a.lane(first),
    receiver: b.lane(first),
    [Symbol.dispose]: () => {
      a.connection.close();
      b.connection.close();
    },
  };
}

function deliver(from: End, to: End, relay: (candidate: IceCandidate) => IceCandidate): void {
  from.send = (candidate) => {
    to.connection.addCandidate(relay(candidate)).catch((error) => {
      // One may still be on its way when the test has ended.
      if (to.connection.state !== "closed") throw error;
    });
  };
}

/** One offer and its answer. */
export async function negotiate(
  a: End,
  b: End,
  options: { readonly iceRestart?: boolean } = {},
): Promise<void> {
  await b.connection.setRemote(await a.connection.createOffer(options));
  await a.connection.setRemote(await b.connection.createAnswer());
}

/** The answer comes after a candidate of it; a stack may keep those of its offer until it is answered. */
async function answerLate(
  a: End,
  b: End,
  relay: (candidate: IceCandidate) => IceCandidate,
): Promise<void> {
  await b.connection.setRemote(await a.connection.createOffer());
  const answer = await b.connection.createAnswer();
  await b.until(() => b.candidates.length > 0);
  for (const candidate of b.candidates) await a.connection.addCandidate(relay(candidate));
  deliver(b, a, relay);
  await a.connection.setRemote(answer);
}
