import type { Clock, Timer } from "../ports/clock.ts";
import { TokenBucket } from "../token_bucket.ts";

/** How long a message may have been under way when the server says that it dropped one, milliseconds. */
const lossMs = 3_000;
/** Messages kept for that long. */
const maxKept = 256;
/** The rate of a server that does not tell its own, messages per second (`spec/protocol.md` §7.7). */
const usualRate = 10;
/** Part of the server's rate that is used, so that it has something left at all times. */
const share = 0.9;

/** What takes messages. */
interface Destination {
  send(data: Uint8Array): void;
}

interface Message {
  readonly bytes: Uint8Array;
  /** Whether it has a use still. */
  readonly wanted: () => boolean;
}

/**
 * What leaves by one connection to signaling: everything at once, until the server says that it dropped a message because
 * there were too many. Which one, a real actrix does not say (`spec/protocol.md` §7.4): what has just left and does no harm
 * when it comes twice goes again then, and everything from there on as fast as the server takes it.
 */
export class Outbox {
  readonly #clock: Clock;
  /** What has just left, oldest first. */
  readonly #kept: (Message & { readonly at: number })[] = [];
  readonly #waiting: Uint8Array[] = [];
  /** What may be lost; it leaves when nothing else waits. */
  readonly #again: Message[] = [];
  #destination: Destination | undefined;
  #bucket: TokenBucket | undefined;
  #timer: Timer | undefined;
  #rate = usualRate;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long a further message would wait, milliseconds. */
  get delayMs(): number {
    return this.#bucket === undefined ? 0 : (this.#waiting.length * 1_000) / this.#rate;
  }

  /** @param again for a message that does no harm when it comes twice: whether it has a use still. */
  send(destination: Destination, bytes: Uint8Array, again?: () => boolean): void {
    this.#destination = destination;
    if (again !== undefined) this.#keep(bytes, again);
    if (this.#bucket === undefined) return destination.send(bytes);
    this.#waiting.push(bytes);
    this.#leave();
  }

  /** The server dropped a message. @param reason its words, which may name its rate. */
  dropped(reason: string): void {
    const now = this.#clock.monotonic();
    if (this.#bucket === undefined) {
      this.#rate = share * rateIn(reason);
      this.#bucket = new TokenBucket(1, this.#rate, now);
      this.#bucket.take(now);
    }
    this.#again.push(...this.#kept.splice(0).filter(({ at }) => now - at <= lossMs));
    this.#leave();
  }

  /** The connection has ended: what waits for it is worthless, and the next one begins anew. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#bucket = undefined;
    for (const list of [this.#kept, this.#waiting, this.#again]) list.length = 0;
  }

  #keep(bytes: Uint8Array, wanted: () => boolean): void {
    const at = this.#clock.monotonic();
    const stale = this.#kept.findIndex((each) => at - each.at <= lossMs);
    const surplus = this.#kept.length >= maxKept ? 1 : 0;
    this.#kept.splice(0, Math.max(surplus, stale < 0 ? this.#kept.length : stale));
    this.#kept.push({ bytes, at, wanted });
  }

  #leave(): void {
    if (this.#timer !== undefined) return;
    while (this.#hasMore()) {
      const wait = this.#bucket?.take(this.#clock.monotonic()) === false ? this.#bucket.waitMs : 0;
      if (wait > 0) {
        this.#timer = this.#clock.timer(this.#clock.now() + wait, () => {
          this.#timer = undefined;
          this.#leave();
        });
        return;
      }
      const bytes = this.#waiting.shift() ?? this.#again.shift()?.bytes;
      if (bytes !== undefined) this.#destination?.send(bytes);
    }
  }

  #hasMore(): boolean {
    while (this.#again[0]?.wanted() === false) this.#again.shift();
    return this.#waiting.length + this.#again.length > 0;
  }
}

/** `Too many messages. Limit: 10 messages/second` says 10. */
function rateIn(reason: string): number {
  const [, text = ""] = /Limit: (\d{1,6})\b/.exec(reason) ?? [];
  return Math.max(1, Number(text) || usualRate);
}
