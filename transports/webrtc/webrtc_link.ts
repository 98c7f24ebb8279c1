import { ActrError } from "../../src/errors.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { LinkMedia } from "../../src/ports/media.ts";
import type {
  Channel,
  PeerConnection,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import type {
  CloseOptions,
  FrameStream,
  Link,
  LinkClosed,
  LinkFigures,
  SendOptions,
} from "../../src/ports/transport.ts";
import { type Frame, type Lane, laneLabels, lanes } from "../../src/protocol/frame.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { ReassemblyBudget } from "../../src/protocol/reassembly_budget.ts";
import { withResolvers } from "../../src/with_resolvers.ts";
import type { KeepAlive, Pinged } from "../keep_alive.ts";
import { LinkTally } from "../link_tally.ts";
import { type Beat, beatChunk } from "./beat_chunk.ts";
import { Heartbeat } from "./heartbeat.ts";
import { InboundLanes } from "./inbound_lanes.ts";
import { LaneSender } from "./lane_sender.ts";
import { type ChannelLane, channelLanes, laneOf, openChannel } from "./lanes.ts";
import { defaultWebRtcLinkOptions, type WebRtcLinkOptions } from "./link_options.ts";
import { pathInUse } from "./path_in_use.ts";
import { pauseChunk } from "./pause_chunk.ts";

/** What {@link WebRtcLink} works with. */
export interface WebRtcLinkParts {
  readonly connection: PeerConnection;
  readonly peer: ActrId;
  readonly direction: Link["direction"];
  readonly clock: Clock;
  readonly log: Logger;
  /** What all links of a transport may hold of unfinished messages. @default each its own limits alone */
  readonly budget?: ReassemblyBudget;
  /** Makes the connection work again, or finds out that it does; see {@link Link.recover}. */
  readonly recover?: (limitMs: number) => Promise<boolean>;
  /** How often the connection was given another path. */
  readonly restarts?: () => number;
}

/** Channels of one lane that are read: the one that both use, and the peer's own when both opened one at once. */
const maxChannelsPerLane = 2;

/** Between two looks whether all has left, milliseconds. */
const drainPollMs = 10;

/** How long a connection lives on when its channels are empty, milliseconds: stacks do not count what is in flight, and lose it at the end. */
const lingerMs = 300;

/** A Link over the DataChannels of one peer connection (`spec/transport.md` §2, §3). */
export class WebRtcLink implements Link, Pinged {
  readonly transport = "webrtc";
  readonly peer: ActrId;
  readonly direction: Link["direction"];
  /** Known from {@link WebRtcLink.learnPath} on. */
  relayed?: boolean;
  /** Set by who negotiates, where the stack has media. */
  media?: LinkMedia;
  readonly frames: FrameStream;
  readonly streams: readonly FrameStream[];
  readonly closed: Promise<LinkClosed>;
  /** Resolves when calls can be sent; rejects with ActrError `unavailable` when the link ends before. */
  readonly ready: Promise<void>;
  readonly #parts: WebRtcLinkParts;
  readonly #options: WebRtcLinkOptions;
  readonly #senders: ReadonlyMap<Lane, LaneSender>;
  readonly #inbound: InboundLanes;
  readonly #tally = new LinkTally();
  readonly #heartbeat: Heartbeat;
  /** Who has it swept, where the peer answers beats. */
  #keepAlive: KeepAlive | undefined;
  readonly #channels = new Map<ChannelLane, Channel[]>();
  readonly #settle: (end: LinkClosed) => void;
  #becomeReady: (error?: ActrError) => void = () => {};
  /** Why the link is going, from the moment that this is known. */
  #ending: LinkClosed | undefined;
  #ended = false;
  /** Whether the stack says that there is a path. */
  #connected = true;
  #working = true;
  /** What was told last of that. */
  #toldWorking = true;
  #tellWorking: (works: boolean) => void = () => {};
  #drain: Timer | undefined;
  /** When something was on its way last, monotonic milliseconds. */
  #busyAt = Number.NEGATIVE_INFINITY;

  constructor(parts: WebRtcLinkParts, options: Partial<WebRtcLinkOptions> = {}) {
    this.#parts = parts;
    this.#options = { ...defaultWebRtcLinkOptions, ...options };
    this.peer = parts.peer;
    this.direction = parts.direction;
    this.#senders = this.#makeSenders();
    this.#heartbeat = this.#makeHeartbeat();
    this.#inbound = this.#makeInbound();
    this.frames = this.#inbound.calls;
    this.streams = [this.#inbound.chunks, this.#inbound.lossyChunks];
    const { promise, resolve } = withResolvers<LinkClosed>();
    this.closed = promise;
    this.#settle = resolve;
    this.ready = new Promise((done, fail) => {
      this.#becomeReady = (error) => (error === undefined ? done() : fail(error));
    });
    // Who does not wait for it learns of the end by `closed`.
    this.ready.catch(() => {});
  }

  get bufferedBytes(): number {
    let bytes = 0;
    for (const sender of this.#senders.values()) bytes += sender.bufferedBytes;
    return bytes;
  }

  bufferedOn(lane: Lane): number {
    return this.#senders.get(lane)?.bufferedBytes ?? 0;
  }

  get figures(): LinkFigures {
    const { sentFrames, sentBytes, receivedFrames, receivedBytes } = this.#tally;
    const { rttMs } = this.#heartbeat;
    const restarts = this.#parts.restarts?.() ?? 0;
    return { sentFrames, sentBytes, receivedFrames, receivedBytes, rttMs, restarts };
  }

  /** Messages thrown away, by reason: malformed ones, and those that were never completed. */
  get dropped(): InboundLanes["dropped"] {
    return this.#inbound.dropped;
  }

  /** Opens the channels of all lanes. For the offerer alone, before its first offer. */
  openChannels(): void {
    for (const lane of channelLanes) this.addChannel(openChannel(this.#parts.connection, lane));
  }

  /** Takes in a channel, own or the peer's, by its label; others are left alone. */
  addChannel(channel: Channel): void {
    const lane = laneOf(channel);
    if (lane === undefined || this.#ended) return;
    const channels = this.#channels.get(lane) ?? [];
    if (channels.length >= maxChannelsPerLane) return;
    const number = lane * maxChannelsPerLane + channels.length;
    this.#channels.set(lane, [...channels, channel]);
    const receive = this.#inbound.open(lane, number);
    channel.handle({
      open: () => this.#opened(lane),
      message: (data) => {
        this.#heartbeat.heard();
        receive(data);
      },
      drained: () => this.#sender(lane).pump(),
      closed: () => this.fail("data channel closed", "remote"),
    });
    if (!this.#sender(lane).assigned) this.#sender(lane).assign(channel);
    if (channel.state === "open") this.#opened(lane);
  }

  /** To be called with each state of the connection. */
  connectionState(state: PeerConnectionState): void {
    switch (state) {
      case "connected":
        return this.#pathFound();
      case "disconnected":
      case "failed":
        this.#connected = false;
        return this.#look();
      case "closed":
        return this.fail("connection closed", "remote");
    }
  }

  /** Finds out which path is in use. */
  async learnPath(): Promise<void> {
    const pair = await pathInUse({ ...this.#parts, isOver: () => this.#ended });
    if (pair !== undefined) this.relayed = pair.local === "relay" || pair.remote === "relay";
  }

  /** @throws ActrError `unavailable` once it is going. */
  assertOpen(): void {
    if (this.#ending !== undefined) throw gone(this.#ending);
  }

  /** The peer reads messages of up to so many bytes. */
  peerTakes(messageBytes: number): void {
    for (const sender of this.#senders.values()) sender.maxMessageBytes = messageBytes;
  }

  /** The peer answers beats: has `keepAlive` find out whether it still does, until the link ends. */
  watch(keepAlive: KeepAlive): void {
    if (this.#ended || this.#keepAlive !== undefined) return;
    this.#keepAlive = keepAlive;
    keepAlive.add(this);
  }

  sweep(): void {
    this.#heartbeat.sweep();
  }

  onWorking(tell: (works: boolean) => void): void {
    this.#tellWorking = tell;
    if (!this.#toldWorking) tell(false);
  }

  async recover(limitMs: number): Promise<boolean> {
    const mended = (await this.#parts.recover?.(limitMs)) ?? true;
    return mended && !this.#ended && this.#working;
  }

  send(frame: Frame, options?: SendOptions): Promise<void> {
    const refusal = this.#refusal(frame, options);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#busyAt = this.#parts.clock.monotonic();
    this.#tally.sent(frame.body.length);
    return this.#sender(frame.lane).send(frame.body, options);
  }

  async close(reason: string, options: CloseOptions = {}): Promise<void> {
    const { withinMs = this.#options.drainTimeoutMs } = options;
    if (this.#ending === undefined) {
      this.#ending = { by: "local", reason };
      this.#closeWhenSent(this.#parts.clock.monotonic() + withinMs);
    }
    await this.closed;
  }

  /** Ends the link and its connection at once: what waits fails. Does nothing the second time. */
  fail(reason: string, by: LinkClosed["by"] = "lost"): void {
    this.#ending ??= { by, reason };
    this.#finish(this.#ending);
  }

  #makeSenders(): ReadonlyMap<Lane, LaneSender> {
    const { clock } = this.#parts;
    const { channelTimeoutMs } = this.#options;
    return new Map(
      channelLanes.map((lane) => [lane, new LaneSender({ lane, clock, channelTimeoutMs })]),
    );
  }

  #makeInbound(): InboundLanes {
    const { clock, log, budget } = this.#parts;
    const askToPause = (paused: ReadonlySet<ChannelLane>): void =>
      this.#sender(lanes.streamReliable).sendUrgently("pause", pauseChunk(paused));
    const pausedBy = (paused: readonly ChannelLane[]): void => {
      for (const [lane, sender] of this.#senders)
        sender.pause(paused.includes(lane as ChannelLane));
    };
    const overrun = (): void => this.fail("too much received unread");
    const beat = (received: Beat): void => this.#heartbeat.beat(received);
    return new InboundLanes(
      { clock, log, budget, askToPause, pausedBy, beat, tally: this.#tally, overrun },
      this.#options,
    );
  }

  #makeHeartbeat(): Heartbeat {
    return new Heartbeat({
      clock: this.#parts.clock,
      send: (beat) => this.#sender(lanes.streamReliable).sendUrgently(beat.kind, beatChunk(beat)),
      progress: () => {
        const waiting = this.bufferedBytes;
        return waiting === 0 ? undefined : this.#tally.sentBytes - waiting;
      },
      onAlive: () => this.#look(),
      onDead: () => {
        // Without a path the stack and its mender say when it is over.
        if (this.#connected) this.fail("the peer answers no heartbeat");
      },
    });
  }

  #sender(lane: Lane): LaneSender {
    const sender = this.#senders.get(lane);
    if (sender === undefined) throw new TypeError(`no channel carries ${laneLabels[lane]}`);
    return sender;
  }

  #opened(lane: ChannelLane): void {
    this.#sender(lane).pump();
    if (lane === lanes.rpcReliable) this.#becomeReady();
  }

  #pathFound(): void {
    this.#connected = true;
    if (!this.#heartbeat.alive) this.#heartbeat.ask();
    this.#look();
  }

  /** Finds out whether it works, and tells when that has changed; when it works again, the path may be another one. */
  #look(): void {
    const works = this.#connected && this.#heartbeat.alive;
    if (works === this.#working) return;
    this.#working = works;
    if (works) void this.learnPath().then(() => this.#tell());
    else this.#tell();
  }

  #tell(): void {
    if (this.#ended || this.#working === this.#toldWorking) return;
    this.#toldWorking = this.#working;
    this.#tellWorking(this.#working);
  }

  #refusal({ lane, body }: Frame, options: SendOptions | undefined): unknown {
    if (this.#ending !== undefined) return gone(this.#ending);
    const { maxBodyBytes, maxBufferedBytes } = this.#options;
    if (body.length > maxBodyBytes) {
      const message = `a frame body of ${body.length} bytes is over the limit of ${maxBodyBytes}; send it in parts`;
      return new ActrError("invalid_argument", message);
    }
    if (lane === lanes.media) {
      return new ActrError("invalid_argument", "media are sent by tracks, not as frames");
    }
    if (this.#queuedBytes() > maxBufferedBytes) {
      const message = `${maxBufferedBytes} bytes wait for a peer that does not read them`;
      return new ActrError("overloaded", message, { retryAfterMs: 1_000 });
    }
    return options?.signal?.aborted === true ? options.signal.reason : undefined;
  }

  #queuedBytes(): number {
    let bytes = 0;
    for (const sender of this.#senders.values()) bytes += sender.queuedBytes;
    return bytes;
  }

  #closeWhenSent(forceAt: number): void {
    if (this.#ended) return;
    const { clock, connection } = this.#parts;
    const now = clock.monotonic();
    if (this.bufferedBytes > 0) this.#busyAt = now;
    const hopeless = connection.state !== "connected" && connection.state !== "disconnected";
    const over = this.bufferedBytes === 0 && (!this.#working || now >= this.#busyAt + lingerMs);
    if (over || hopeless || now >= forceAt) return this.fail("closed", "local");
    this.#drain = clock.timer(clock.now() + drainPollMs, () => this.#closeWhenSent(forceAt));
  }

  #finish(end: LinkClosed): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#drain?.cancel();
    this.#keepAlive?.remove(this);
    this.#inbound.end();
    for (const sender of this.#senders.values()) sender.end(gone(end));
    this.#becomeReady(gone(end));
    this.#parts.connection.close();
    this.#settle(end);
  }
}

function gone({ reason }: LinkClosed): ActrError {
  return new ActrError("unavailable", `the link is closed: ${reason}`);
}
