import { ActrError } from "../../src/errors.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type {
  Channel,
  ChannelHandler,
  PeerConnectionOptions,
} from "../../src/ports/peer_connections.ts";
import type { EarlyBudget } from "./early_budget.ts";

/** What a stack's own channel gives. */
export interface RawChannel {
  readonly label: string;
  /** Bytes it holds back. */
  buffered(): number;
  /** Hands over a message that it surely takes. */
  send(data: Uint8Array): void;
}

/** Limits of one channel, bytes. */
export interface ChannelLimits {
  readonly maxBufferedBytes: number;
  readonly lowWaterBytes: number;
}

/** What a channel holds back at most, unless the options say otherwise: seldom full, since to ask a stack what it holds back stops both of its threads. */
const defaultMaxBufferedBytes = 2_097_152;

/** Room in a channel that has drained, unless the options say otherwise, bytes: some messages of any length, or all where it holds less. */
const drainedRoomBytes = 262_144;

/** The limits of a connection's channels. */
export function channelLimits(options: PeerConnectionOptions): ChannelLimits {
  const { maxBufferedBytes = defaultMaxBufferedBytes } = options;
  const { lowWaterBytes = Math.max(0, maxBufferedBytes - drainedRoomBytes) } = options;
  return { maxBufferedBytes, lowWaterBytes };
}

/** Who else a channel needs. */
export interface ChannelComponents {
  readonly raw: RawChannel;
  readonly clock: Clock;
  /** Largest message that both ends take, as far as it is known now. */
  readonly maxMessageBytes: () => number;
  /** Whether the stack calls {@link PeerChannel.low} by itself. */
  readonly lowWaterEvents: boolean;
  /** What all channels of the connection may keep for handlers to come. */
  readonly early: EarlyBudget;
}

/** Milliseconds between two looks at a buffer; each look waits for the thread that empties it. */
const pollMs = 4;

/** A channel over any stack: nothing is handed over that the stack would lose or die of. */
export class PeerChannel implements Channel {
  readonly #components: ChannelComponents;
  readonly #limits: ChannelLimits;
  #state: Channel["state"] = "connecting";
  #handler: ChannelHandler | undefined;
  #early: Uint8Array[] = [];
  /** What the stack holds back, at most, since it was asked last: to ask it for each message would have both of its threads wait for each other. */
  #held = 0;
  /** Whether the low-water mark was passed upwards and `drained` is owed. */
  #high = false;
  #poll: Timer | undefined;

  constructor(components: ChannelComponents, limits: ChannelLimits) {
    this.#components = components;
    this.#limits = limits;
  }

  get label(): string {
    return this.#components.raw.label;
  }

  get state(): Channel["state"] {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#state === "open" ? this.#components.raw.buffered() : 0;
  }

  get maxMessageBytes(): number {
    return this.#components.maxMessageBytes();
  }

  send(data: Uint8Array): void {
    const { raw } = this.#components;
    if (data.length === 0) throw new RangeError(`an empty message on ${this.label}`);
    if (this.#state !== "open") throw notOpen(this.label, this.#state);
    if (data.length > this.maxMessageBytes) throw tooLong(data.length, this.maxMessageBytes);
    const held = this.#held + data.length;
    if (held > this.#limits.maxBufferedBytes) {
      this.#watch();
      throw full(this.label, held, this.#limits.maxBufferedBytes);
    }
    raw.send(data);
    this.#held = held;
    if (held > this.#limits.lowWaterBytes) this.#watch();
  }

  handle(handler: ChannelHandler): void {
    this.#handler = handler;
    for (const data of this.#early.splice(0)) {
      this.#components.early.give(data.length);
      handler.message(data);
    }
    if (this.#state === "closed") handler.closed();
  }

  /** To be called when the stack says that the channel can send. */
  opened(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#handler?.open?.();
  }

  /** To be called for each binary message. */
  received(data: Uint8Array): void {
    if (this.#state === "closed") return;
    // A message may overtake the news that the channel is open.
    this.opened();
    if (this.#handler !== undefined) this.#handler.message(data);
    else if (this.#components.early.take(data.length)) this.#early.push(data);
  }

  /** To be called when the buffer may have become low. */
  low(): void {
    if (!this.#high) return;
    this.#held = this.bufferedAmount;
    if (this.#held > this.#limits.lowWaterBytes) return;
    this.#high = false;
    this.#handler?.drained?.();
  }

  /** To be called when the channel, or its connection, has ended; only the first call counts. */
  ended(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#high = false;
    this.#poll?.cancel();
    this.#handler?.closed();
  }

  #watch(): void {
    if (this.#high) return;
    this.#high = true;
    this.#lookLater();
  }

  /** What the stack took at once is seen in another turn, so that who sends as fast as it takes lets others run. What is left then, some stacks tell of. */
  #lookLater(): void {
    const { clock, lowWaterEvents } = this.#components;
    if (lowWaterEvents) return clock.defer(() => this.low());
    this.#poll ??= clock.timer(clock.now() + pollMs, () => {
      this.#poll = undefined;
      this.low();
      if (this.#high) this.#lookLater();
    });
  }
}

function notOpen(label: string, state: string): ActrError {
  return new ActrError("unavailable", `the channel ${label} is ${state}`);
}

function tooLong(length: number, limit: number): ActrError {
  return new ActrError(
    "invalid_argument",
    `a message of ${length} bytes, the limit is ${limit}; send it in parts`,
  );
}

function full(label: string, bytes: number, limit: number): ActrError {
  return new ActrError(
    "overloaded",
    `${bytes} bytes would wait on the channel ${label}, the limit is ${limit}; send more once it has drained`,
  );
}
