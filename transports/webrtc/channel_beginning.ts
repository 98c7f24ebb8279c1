import type { Clock, Timer } from "../../src/ports/clock.ts";
import { type FragmentPlace, readFragmentPlace } from "../../src/protocol/fragment.ts";
import { fragmentOverheadBytes } from "../../src/protocol/reassembler.ts";

/** How long a channel begins, and how long what came too early waits for what was sent before it, milliseconds. */
const beginningMs = 200;

/** What waits at most, bytes, with {@link fragmentOverheadBytes} for each message. */
const maxHeldBytes = 4_194_304;

/** What {@link ChannelBeginning} works with. */
export interface ChannelBeginningParts {
  readonly clock: Clock;
  /** Takes each message. */
  readonly deliver: (message: Uint8Array) => void;
}

/**
 * Puts the first messages of a channel that loses nothing into the order in which they were sent: `@roamhq/wrtc` may hand over
 * what came before a new channel had its object after what comes next, as `3, 4, 0, 1, 2, 5`. Messages are numbered from 0
 * upwards (`spec/transport.md` §3), so what came too early is known and waits for what goes before it; a peer that
 * numbers otherwise is delayed once, by 200 ms.
 */
export class ChannelBeginning {
  readonly #parts: ChannelBeginningParts;
  /** What came too early, by place; in the order of coming. */
  readonly #held = new Map<number, Uint8Array>();
  #heldBytes = 0;
  /** The place of what comes next. */
  #next = 0;
  /** When the first message came, monotonic milliseconds. */
  #begunAt: number | undefined;
  #patience: Timer | undefined;
  #over = false;

  constructor(parts: ChannelBeginningParts) {
    this.#parts = parts;
  }

  /** Takes a message that came. */
  receive(message: Uint8Array): void {
    if (this.#over) this.#parts.deliver(message);
    else this.#sort(message);
  }

  /** Nothing more comes; what waits is forgotten. */
  end(): void {
    this.#over = true;
    this.#patience?.cancel();
    this.#held.clear();
  }

  #sort(message: Uint8Array): void {
    const place = readFragmentPlace(message);
    if (place !== undefined && keyOf(place) > this.#next) return this.#hold(message, place);
    this.#pass(message, place);
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.#pass(next, readFragmentPlace(next));
    }
    if (this.#held.size === 0) this.#endWhenOld();
  }

  #pass(message: Uint8Array, place: FragmentPlace | undefined): void {
    if (place !== undefined && keyOf(place) === this.#next) this.#next = keyAfter(place);
    this.#parts.deliver(message);
  }

  /** What waits and comes next now. */
  #take(): Uint8Array | undefined {
    const message = this.#held.get(this.#next);
    this.#held.delete(this.#next);
    return message;
  }

  #hold(message: Uint8Array, place: FragmentPlace): void {
    const { clock } = this.#parts;
    this.#begunAt ??= clock.monotonic();
    this.#held.set(keyOf(place), message);
    this.#heldBytes += message.length + fragmentOverheadBytes;
    this.#patience ??= clock.timer(clock.now() + beginningMs, () => this.#giveUp());
    if (this.#heldBytes > maxHeldBytes) this.#giveUp();
  }

  /** The messages that are missing may never come: goes on without them. */
  #giveUp(): void {
    const held = [...this.#held.values()];
    this.end();
    for (const message of held) this.#parts.deliver(message);
  }

  #endWhenOld(): void {
    const now = this.#parts.clock.monotonic();
    this.#begunAt ??= now;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#heldBytes = 0;
    if (now - this.#begunAt > beginningMs) this.#over = true;
  }
}

/** Places as numbers in order: of messages first, of their fragments then. */
function keyOf({ id, index }: FragmentPlace): number {
  return id * 0x1_0000 + index;
}

function keyAfter({ id, index, total }: FragmentPlace): number {
  return index + 1 < total ? keyOf({ id, index: index + 1, total }) : (id + 1) * 0x1_0000;
}
