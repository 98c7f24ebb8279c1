import { Deque } from "../../src/deque.ts";
import { ActrError } from "../../src/errors.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { Channel } from "../../src/ports/peer_connections.ts";
import type { SendOptions } from "../../src/ports/transport.ts";
import { maxChannelMessageBytes } from "../../src/protocol/fragment.ts";
import { laneLabels } from "../../src/protocol/frame.ts";
import type { ChannelLane } from "./lanes.ts";
import { Outgoing } from "./outgoing.ts";

const sent = Promise.resolve();

/** What {@link LaneSender} works with. */
export interface LaneSenderParts {
  readonly lane: ChannelLane;
  readonly clock: Clock;
  /** How long a body waits for the channel to open, milliseconds. */
  readonly channelTimeoutMs: number;
}

/** Sends the bodies of one lane, one after the other, as fast as its channel and the peer take them. */
export class LaneSender {
  /** Longest message that the peer reads, bytes; its stack may take less. */
  maxMessageBytes: number = maxChannelMessageBytes;
  readonly #parts: LaneSenderParts;
  readonly #queue = new Deque<Outgoing>();
  #queuedBytes = 0;
  #channel: Channel | undefined;
  /** Number of the next message, 0 to 2^32 - 1 and again (`spec/transport.md` §3). */
  #nextId = 0;
  readonly #urgent = new Map<string, Outgoing>();
  #paused = false;
  #ended: ActrError | undefined;
  /** Runs while bodies wait for a channel. */
  #patience: Timer | undefined;

  constructor(parts: LaneSenderParts) {
    this.#parts = parts;
  }

  /** Whether the lane has a channel, open or not. */
  get assigned(): boolean {
    return this.#channel !== undefined;
  }

  /** Whether the lane's channel is open. */
  get open(): boolean {
    return this.#channel?.state === "open";
  }

  /** Bytes that the channel has not been given. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that have not left, those included that the channel holds back. */
  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#channel?.bufferedAmount ?? 0);
  }

  /** Sends by `channel` from now on. Tell {@link LaneSender.pump} when it opens or has drained. */
  assign(channel: Channel): void {
    this.#channel = channel;
    this.pump();
  }

  /** Holds everything back, as the peer asked, or goes on. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.pump();
  }

  /**
   * Sends one body; resolves when the channel has all of it, and has copied it.
   * @throws ActrError `unavailable` when the channel does not open in time or the link ends first, `invalid_argument`;
   * the signal's reason, after which the body is not sent unless a part of it has left already.
   */
  send(body: Uint8Array, options?: SendOptions): Promise<void> {
    const outgoing = new Outgoing(body);
    try {
      if (this.#queue.size > 0 || this.#paused || !this.#leaves(outgoing)) {
        return this.#wait(outgoing, options);
      }
    } catch (error) {
      options?.released?.();
      return Promise.reject(error);
    }
    options?.released?.();
    return sent;
  }

  /** Sends one short body as soon as it goes, before what waits and also while paused; it replaces one of its kind that waits. Never throws. */
  sendUrgently(kind: string, body: Uint8Array): void {
    this.#urgent.set(kind, new Outgoing(body));
    this.pump();
  }

  /** Sends what waits, as far as it goes. */
  pump(): void {
    if (!this.open) return;
    this.#stopPatience();
    if (!this.#urgentLeaves() || this.#paused) return;
    for (let next = this.#queue.first; next !== undefined; next = this.#queue.first) {
      try {
        if (!next.withdrawn && !this.#leavesQueue(next)) return;
        this.#shift();
      } catch (error) {
        this.#shift(error);
      }
    }
  }

  /** Fails what waits. */
  end(reason: ActrError): void {
    this.#ended = reason;
    this.#stopPatience();
    while (this.#queue.size > 0) this.#shift(reason);
  }

  #leaves(outgoing: Outgoing): boolean {
    const channel = this.#channel;
    if (channel?.state !== "open") return false;
    const { started } = outgoing;
    try {
      return outgoing.leaveBy(channel, this.maxMessageBytes, this.#nextId);
    } finally {
      if (outgoing.started !== started) this.#nextId = (this.#nextId + 1) >>> 0;
    }
  }

  /** Whether nothing urgent waits any more. What the channel cannot carry is dropped, since nobody waits for its fate. */
  #urgentLeaves(): boolean {
    for (const [kind, body] of this.#urgent) {
      try {
        if (!this.#leaves(body)) return false;
      } catch {}
      this.#urgent.delete(kind);
    }
    return true;
  }

  #leavesQueue(outgoing: Outgoing): boolean {
    const before = outgoing.cost;
    try {
      return this.#leaves(outgoing);
    } finally {
      this.#queuedBytes -= before - outgoing.cost;
    }
  }

  #wait(outgoing: Outgoing, { signal, released }: SendOptions = {}): Promise<void> {
    if (this.#ended !== undefined) {
      released?.();
      return Promise.reject(this.#ended);
    }
    this.#queue.push(outgoing);
    this.#queuedBytes += outgoing.cost;
    if (!this.open) this.#startPatience();
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#withdraw(outgoing);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      outgoing.settle = (error) => {
        signal?.removeEventListener("abort", abort);
        released?.();
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  #withdraw(outgoing: Outgoing): void {
    if (outgoing.started) return;
    this.#queuedBytes -= outgoing.cost;
    outgoing.withdraw();
    this.#queuedBytes += outgoing.cost;
    this.pump();
  }

  #shift(error?: unknown): void {
    const done = this.#queue.shift();
    if (done === undefined) return;
    this.#queuedBytes -= done.cost;
    done.settle?.(error);
  }

  #startPatience(): void {
    const { clock, channelTimeoutMs, lane } = this.#parts;
    this.#patience ??= clock.timer(clock.now() + channelTimeoutMs, () => {
      const text = `the peer has opened no channel ${laneLabels[lane]} for ${channelTimeoutMs} ms`;
      this.#stopPatience();
      while (this.#queue.size > 0) this.#shift(new ActrError("unavailable", text));
    });
  }

  #stopPatience(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }
}
