import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import { lanes } from "../../src/protocol/frame.ts";
import { Reassembler, type ReassemblyDrop } from "../../src/protocol/reassembler.ts";
import type { ReassemblyBudget } from "../../src/protocol/reassembly_budget.ts";
import { FrameQueue } from "../../src/session/frame_queue.ts";
import type { LinkTally } from "../link_tally.ts";
import { type Beat, readBeatChunk } from "./beat_chunk.ts";
import { ChannelBeginning } from "./channel_beginning.ts";
import type { ChannelLane } from "./lanes.ts";
import type { WebRtcLinkOptions } from "./link_options.ts";
import { readPauseChunk } from "./pause_chunk.ts";

/** What {@link InboundLanes} works with. */
export interface InboundLanesParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly budget: ReassemblyBudget | undefined;
  /** Asks the peer to send nothing on these lanes, but on all others. */
  readonly askToPause: (paused: ReadonlySet<ChannelLane>) => void;
  /** The peer asks the same. */
  readonly pausedBy: (paused: readonly ChannelLane[]) => void;
  /** The peer asks whether this side is there, or answers the same. */
  readonly beat: (beat: Beat) => void;
  /** Counts what has come. */
  readonly tally: LinkTally;
  /** More has come than is ever kept. */
  readonly overrun: () => void;
}

/** What a peer sends, put together and queued: calls, reliable and latency-first chunks apart, since none may wait for another kind. */
export class InboundLanes {
  readonly calls: FrameQueue;
  readonly chunks: FrameQueue;
  readonly lossyChunks: FrameQueue;
  readonly #parts: InboundLanesParts;
  readonly #options: WebRtcLinkOptions;
  readonly #reliable: Reassembler;
  readonly #lossy: Reassembler;
  readonly #beginnings: ChannelBeginning[] = [];
  /** Lanes that the peer was asked not to send on. */
  readonly #paused = new Set<ChannelLane>();
  readonly #dropped: Record<ReassemblyDrop, number> = { malformed: 0, overflow: 0, expired: 0 };
  #lossyFull = false;
  #lossyOverflows = 0;
  #sweep: Timer | undefined;

  constructor(parts: InboundLanesParts, options: WebRtcLinkOptions) {
    this.#parts = parts;
    this.#options = options;
    const { maxPartialBytes, maxLossyPartialBytes } = options;
    this.#reliable = this.#reassembler(maxPartialBytes, options.partialIdleMs);
    this.#lossy = this.#reassembler(maxLossyPartialBytes, options.lossyPartialIdleMs);
    this.calls = this.#queue([lanes.rpcReliable, lanes.rpcSignal]);
    this.chunks = this.#queue([lanes.streamReliable]);
    this.lossyChunks = new FrameQueue(options.receiveBytes, {
      full: () => {
        this.#lossyFull = true;
      },
      roomy: () => {
        this.#lossyFull = false;
      },
    });
  }

  /** Messages thrown away, by reason: malformed ones, and those that were never completed. */
  get dropped(): Readonly<Record<ReassemblyDrop, number>> {
    return this.#dropped;
  }

  /** Latency-first chunks dropped since nobody read them. */
  get lossyOverflows(): number {
    return this.#lossyOverflows;
  }

  /** What takes the messages that come by channel number `channel`, one of a lane's. */
  open(lane: ChannelLane, channel: number): (message: Uint8Array) => void {
    const deliver = (message: Uint8Array): void => this.#receive(lane, channel, message);
    if (lane === lanes.streamLatencyFirst) return deliver;
    const beginning = new ChannelBeginning({ clock: this.#parts.clock, deliver });
    this.#beginnings.push(beginning);
    return (message) => beginning.receive(message);
  }

  /** Nothing more comes; what is queued can still be read. */
  end(): void {
    this.#sweep?.cancel();
    this.#reliable.clear();
    this.#lossy.clear();
    for (const beginning of this.#beginnings) beginning.end();
    for (const queue of [this.calls, this.chunks, this.lossyChunks]) queue.end();
  }

  #receive(lane: ChannelLane, channel: number, message: Uint8Array): void {
    const { clock } = this.#parts;
    const reassembler = lane === lanes.streamLatencyFirst ? this.#lossy : this.#reliable;
    const body = reassembler.accept(message, clock.monotonic(), channel);
    if (body === undefined) return this.#sweepLater();
    this.#parts.tally.received(body.length);
    switch (lane) {
      case lanes.rpcReliable:
      case lanes.rpcSignal:
        return this.#push(this.calls, lane, body);
      case lanes.streamReliable:
        return this.#receiveChunk(body);
      case lanes.streamLatencyFirst:
        if (!this.#lossyFull) this.lossyChunks.push({ lane, body });
        else this.#lossyOverflows += 1;
    }
  }

  #receiveChunk(body: Uint8Array): void {
    const paused = readPauseChunk(body);
    if (paused !== undefined) return this.#parts.pausedBy(paused);
    const beat = readBeatChunk(body);
    if (beat !== undefined) return this.#parts.beat(beat);
    this.#push(this.chunks, lanes.streamReliable, body);
  }

  #push(queue: FrameQueue, lane: ChannelLane, body: Uint8Array): void {
    queue.push({ lane, body });
    if (queue.bytes > this.#options.maxReceiveBytes) this.#parts.overrun();
  }

  #queue(members: readonly ChannelLane[]): FrameQueue {
    return new FrameQueue(this.#options.receiveBytes, {
      full: () => {
        for (const lane of members) this.#paused.add(lane);
        this.#parts.askToPause(this.#paused);
      },
      roomy: () => {
        for (const lane of members) this.#paused.delete(lane);
        this.#parts.askToPause(this.#paused);
      },
    });
  }

  #reassembler(maxBytes: number, maxIdleMs: number): Reassembler {
    const { maxPartials } = this.#options;
    const limits = { maxBytes, maxPartials, maxIdleMs };
    return new Reassembler(limits, (reason) => this.#drop(reason), this.#parts.budget);
  }

  /** A stranger may cause many: the first is logged, then each time that their number has doubled. */
  #drop(reason: ReassemblyDrop): void {
    const count = ++this.#dropped[reason];
    if ((count & (count - 1)) !== 0) return;
    this.#parts.log.warn("transport.message.dropped", { transport: "webrtc", reason, count });
  }

  /** Frees what is never completed, also when nothing more comes. */
  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#reliable.partials + this.#lossy.partials === 0) return;
    const { clock } = this.#parts;
    this.#sweep = clock.timer(clock.now() + this.#options.lossyPartialIdleMs, () => {
      this.#sweep = undefined;
      const now = clock.monotonic();
      this.#reliable.expire(now);
      this.#lossy.expire(now);
      this.#sweepLater();
    });
  }
}
