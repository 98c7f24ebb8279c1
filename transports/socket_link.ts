import { abortable } from "#async";
import { ActrError } from "../src/errors.ts";
import type { Clock, Timer } from "../src/ports/clock.ts";
import type { Logger } from "../src/ports/logger.ts";
import type { Socket, SocketClosed } from "../src/ports/sockets.ts";
import type {
  CloseOptions,
  Link,
  LinkClosed,
  LinkFigures,
  SendOptions,
} from "../src/ports/transport.ts";
import { decodeFrame, encodeFrame, type Frame, lanes } from "../src/protocol/frame.ts";
import type { ActrId } from "../src/protocol/ids.ts";
import { FrameQueue } from "../src/session/frame_queue.ts";
import { withResolvers } from "../src/with_resolvers.ts";
import { isGreeting } from "./greeting.ts";
import type { KeepAlive, Pinged } from "./keep_alive.ts";
import type { LinkOptions } from "./link_options.ts";
import { LinkTally } from "./link_tally.ts";

/** Sweeps without a sign of life after which a link counts as dead. */
const deadAfterSweeps = 2;

/** What `send` returns when there is room: one promise for all, so that the hot path makes none. */
const sent: Promise<void> = Promise.resolve();

/** What all links of one transport share. */
export interface LinkComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly keepAlive: KeepAlive;
}

/** Who is at the other end, and by which transport. */
export interface LinkFacts {
  readonly transport: string;
  readonly peer: ActrId;
  readonly direction: "inbound" | "outbound";
  readonly duplex?: boolean;
}

/** A Link over one open socket: each binary message is one frame (`spec/transport.md` §4). */
export class SocketLink implements Link, Pinged {
  readonly transport: string;
  readonly peer: ActrId;
  readonly direction: "inbound" | "outbound";
  readonly duplex: boolean;
  readonly frames: FrameQueue;
  readonly closed: Promise<LinkClosed>;
  readonly #socket: Socket;
  readonly #components: LinkComponents;
  readonly #options: LinkOptions;
  readonly #settle: (end: LinkClosed) => void;
  /** Why the link is going, from the moment that this is known. */
  #ending: LinkClosed | undefined;
  #closeTimer: Timer | undefined;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #silentSweeps = 0;
  #heard = false;
  #tellHeard: () => void = () => {};
  readonly #tally = new LinkTally();
  /** When it was pinged last, while that is unanswered, monotonic milliseconds. */
  #pingedAt: number | undefined;
  /** Tells who asked whether the link works. */
  #proven: ((works: boolean) => void) | undefined;
  #paused = false;
  #malformed = 0;

  constructor(socket: Socket, facts: LinkFacts, components: LinkComponents, options: LinkOptions) {
    this.transport = facts.transport;
    this.peer = facts.peer;
    this.direction = facts.direction;
    this.duplex = facts.duplex ?? false;
    this.#socket = socket;
    this.#components = components;
    this.#options = options;
    this.frames = new FrameQueue(options.receiveBytes, {
      full: () => this.#pause(),
      roomy: () => this.#resume(),
    });
    const { promise, resolve } = withResolvers<LinkClosed>();
    this.closed = promise;
    this.#settle = resolve;
    components.keepAlive.add(this);
    this.#listen();
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get figures(): LinkFigures {
    return this.#tally;
  }

  /** Messages received that were no frames; they were dropped. */
  get malformedFrames(): number {
    return this.#malformed;
  }

  /** Resolves when the peer has said something, or the link has ended. For one caller. */
  heard(): Promise<void> {
    if (this.#heard) return Promise.resolve();
    return new Promise((resolve) => {
      this.#tellHeard = resolve;
    });
  }

  send(frame: Frame, options?: SendOptions): Promise<void> {
    const refusal = this.#refusal(frame, options);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#tally.sent(frame.body.length);
    this.#socket.send(encodeFrame(frame));
    if (this.#socket.bufferedAmount <= this.#options.highWaterBytes) return sent;
    this.#room ??= withResolvers<void>();
    const { promise } = this.#room;
    return options?.signal === undefined ? promise : abortable(promise, options.signal);
  }

  async close(reason: string, options: CloseOptions = {}): Promise<void> {
    const { withinMs = this.#options.closeTimeoutMs } = options;
    if (this.#ending === undefined) {
      this.#ending = { by: "local", reason };
      const { clock } = this.#components;
      this.#closeTimer = clock.timer(clock.now() + withinMs, () => this.#abandon());
      this.#socket.close(1000, reason);
    }
    await this.closed;
  }

  /** A peer that can be asked has to answer. One that cannot is left for a new link, which costs less than a dead one. */
  recover(limitMs: number): Promise<boolean> {
    if (this.#paused) return Promise.resolve(true);
    const { clock } = this.#components;
    return new Promise((resolve) => {
      const timer = clock.timer(clock.now() + limitMs, () => this.#proven?.(false));
      const earlier = this.#proven;
      this.#proven = (works) => {
        timer.cancel();
        this.#proven = undefined;
        earlier?.(works);
        resolve(works);
      };
      if (this.#ending !== undefined || !this.#socket.ping()) this.#proven(false);
    });
  }

  sweep(): void {
    // While reading is paused no pong can arrive: silence means nothing.
    if (this.#paused) return;
    if (this.#silentSweeps < deadAfterSweeps) {
      if (!this.#socket.ping()) return;
      this.#silentSweeps++;
      this.#pingedAt ??= this.#components.clock.monotonic();
      return;
    }
    this.#lose(`nothing received for ${this.#silentSweeps * this.#options.pingIntervalMs} ms`);
  }

  #listen(): void {
    this.#socket.handle({
      message: (data) => this.#received(data),
      pong: () => {
        this.#silentSweeps = 0;
        this.#measure();
        this.#proven?.(true);
      },
      drained: () => this.#releaseRoom(),
      closed: (end) => this.#finish(this.#ending ?? endOf(end)),
    });
  }

  /** A pong answers the oldest ping: the time that it took is not told too short. */
  #measure(): void {
    if (this.#pingedAt === undefined) return;
    this.#tally.rttMs = this.#components.clock.monotonic() - this.#pingedAt;
    this.#pingedAt = undefined;
  }

  #refusal({ lane, body }: Frame, options: SendOptions | undefined): unknown {
    if (this.#ending !== undefined) {
      return new ActrError("unavailable", `the link is closed: ${this.#ending.reason}`);
    }
    const { maxBodyBytes, maxBufferedBytes } = this.#options;
    if (body.length > maxBodyBytes) {
      const message = `a frame body of ${body.length} bytes is over the limit of ${maxBodyBytes}; send it in parts`;
      return new ActrError("invalid_argument", message);
    }
    if (lane === lanes.media) {
      return new ActrError("invalid_argument", `${this.transport} carries no media; use WebRTC`);
    }
    if (this.#socket.bufferedAmount > maxBufferedBytes) {
      const message = `${maxBufferedBytes} bytes wait for a peer that does not read them`;
      return new ActrError("overloaded", message, { retryAfterMs: this.#options.closeTimeoutMs });
    }
    return options?.signal?.aborted === true ? options.signal.reason : undefined;
  }

  #received(data: Uint8Array): void {
    this.#silentSweeps = 0;
    if (!this.#heard) this.#hears();
    if (this.#ending !== undefined) return;
    const frame = decodeFrame(data);
    if (frame === undefined) return this.#dropMalformed(data.length);
    if (isGreeting(frame)) return;
    this.#tally.received(frame.body.length);
    this.frames.push(frame);
    if (this.frames.bytes > this.#options.maxReceiveBytes) this.#lose("too much received unread");
  }

  #hears(): void {
    this.#heard = true;
    this.#tellHeard();
  }

  /** A stranger may send many: the first is logged, then each time that their number has doubled. */
  #dropMalformed(bytes: number): void {
    const count = ++this.#malformed;
    if ((count & (count - 1)) !== 0) return;
    this.#components.log.warn("transport.frame.malformed", {
      transport: this.transport,
      bytes,
      count,
    });
  }

  #pause(): void {
    this.#paused = this.#socket.pause();
  }

  #resume(): void {
    if (this.#paused) this.#socket.resume();
    this.#paused = false;
  }

  #releaseRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #lose(reason: string): void {
    this.#ending = { by: "lost", reason };
    this.#abandon();
  }

  /** Does not wait for the socket: a half-open connection may take long to say that it is gone. */
  #abandon(): void {
    this.#socket.terminate();
    if (this.#ending !== undefined) this.#finish(this.#ending);
  }

  #finish(end: LinkClosed): void {
    this.#ending = end;
    this.#closeTimer?.cancel();
    this.#components.keepAlive.remove(this);
    this.frames.end();
    this.#releaseRoom();
    this.#hears();
    this.#proven?.(false);
    this.#settle(end);
  }
}

function endOf({ code, reason }: SocketClosed): LinkClosed {
  const lost = code === 1006 || code === 1009;
  return { by: lost ? "lost" : "remote", reason: reason || `WebSocket closed with ${code}` };
}
