import { concatBytes } from "./bytes.ts";
import { fragmentHeaderBytes } from "./fragment.ts";
import type { ReassemblyBudget, ReassemblyHolder } from "./reassembly_budget.ts";

/** Bounds of what one reassembler may hold of unfinished messages. */
export interface ReassemblyLimits {
  /** All fragments held, bytes, with {@link fragmentOverheadBytes} for each. */
  readonly maxBytes: number;
  /** Unfinished messages. */
  readonly maxPartials: number;
  /** Milliseconds since the last fragment of a message. */
  readonly maxIdleMs: number;
}

/** Why fragments were thrown away. */
export type ReassemblyDrop = "malformed" | "overflow" | "expired";

/** What a fragment costs beside its bytes, so that a flood of empty ones is bounded too. */
export const fragmentOverheadBytes = 64;

interface Partial {
  readonly total: number;
  readonly slices: Map<number, Uint8Array>;
  bytes: number;
  lastAt: number;
}

/** Message ids of one channel. */
const idsPerChannel = 0x1_0000_0000;

/** Puts the DataChannel messages of one or some channels together again, within limits (`spec/transport.md` §3). */
export class Reassembler implements ReassemblyHolder {
  readonly #limits: ReassemblyLimits;
  readonly #onDrop: (reason: ReassemblyDrop) => void;
  readonly #budget: ReassemblyBudget | undefined;
  /** By channel and message id; the one longest without a fragment comes first. */
  readonly #partials = new Map<number, Partial>();
  #bytes = 0;

  /**
   * @param onDrop hears of everything thrown away: a malformed message, or an unfinished one.
   * @param budget shared with others, until {@link Reassembler.clear}.
   */
  constructor(
    limits: ReassemblyLimits,
    onDrop: (reason: ReassemblyDrop) => void = () => {},
    budget?: ReassemblyBudget,
  ) {
    this.#limits = limits;
    this.#onDrop = onDrop;
    this.#budget = budget;
    budget?.join(this);
  }

  /** Bytes held, overhead included. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Unfinished messages held. */
  get partials(): number {
    return this.#partials.size;
  }

  /**
   * Takes one DataChannel message, and returns the body that it completes. The body of an unfragmented message is a
   * view of it. `now` is in milliseconds of a clock that never goes back; `channel` is the number of the channel that it
   * came by, whose message ids are its own.
   */
  accept(message: Uint8Array, now: number, channel = 0): Uint8Array | undefined {
    const index = uint16(message, 4);
    const total = uint16(message, 6);
    if (message.length < fragmentHeaderBytes || index >= total) {
      this.#onDrop("malformed");
      return undefined;
    }
    const slice = message.subarray(fragmentHeaderBytes);
    if (total === 1) return slice;
    this.expire(now);
    const id = channel * idsPerChannel + messageId(message);
    return this.#collect(id, index, total, slice, now);
  }

  /** Throws away what has waited too long; also done by {@link Reassembler.accept}. */
  expire(now: number): void {
    for (const [id, partial] of this.#partials) {
      if (now - partial.lastAt <= this.#limits.maxIdleMs) return;
      this.#drop(id, partial, "expired");
    }
  }

  /** Throws away the message that has waited longest for a fragment. */
  dropOldest(): void {
    for (const [id, partial] of this.#partials) return this.#drop(id, partial, "overflow");
  }

  /** Forgets all without a word, and leaves the budget. */
  clear(): void {
    for (const [id, partial] of this.#partials) this.#forget(id, partial);
    this.#budget?.leave(this);
  }

  #collect(
    id: number,
    index: number,
    total: number,
    slice: Uint8Array,
    now: number,
  ): Uint8Array | undefined {
    const partial = this.#open(id, total, now);
    this.#add(partial, index, slice);
    if (partial.slices.size === total) {
      this.#forget(id, partial);
      return join(partial);
    }
    this.#shrink();
    this.#budget?.shrink();
    return undefined;
  }

  /** The message's fragments so far, moved to the end of the queue. Another total means another message under a reused id. */
  #open(id: number, total: number, now: number): Partial {
    const known = this.#partials.get(id);
    if (known !== undefined && known.total !== total) this.#drop(id, known, "malformed");
    const partial =
      known?.total === total ? known : { total, slices: new Map(), bytes: 0, lastAt: now };
    this.#partials.delete(id);
    this.#partials.set(id, partial);
    partial.lastAt = now;
    return partial;
  }

  #add(partial: Partial, index: number, slice: Uint8Array): void {
    const earlier = partial.slices.get(index);
    const grown = cost(slice) - (earlier === undefined ? 0 : cost(earlier));
    partial.slices.set(index, slice);
    partial.bytes += grown;
    this.#bytes += grown;
    this.#budget?.changed(grown);
  }

  #shrink(): void {
    const { maxBytes, maxPartials } = this.#limits;
    for (const [id, partial] of this.#partials) {
      if (this.#bytes <= maxBytes && this.#partials.size <= maxPartials) return;
      this.#drop(id, partial, "overflow");
    }
  }

  #drop(id: number, partial: Partial, reason: ReassemblyDrop): void {
    this.#forget(id, partial);
    this.#onDrop(reason);
  }

  #forget(id: number, partial: Partial): void {
    this.#partials.delete(id);
    this.#bytes -= partial.bytes;
    this.#budget?.changed(-partial.bytes);
  }
}

function join(partial: Partial): Uint8Array<ArrayBuffer> {
  const slices: Uint8Array[] = [];
  for (let index = 0; index < partial.total; index++) {
    slices.push(partial.slices.get(index) as Uint8Array);
  }
  return concatBytes(slices);
}

function cost(slice: Uint8Array): number {
  return slice.length + fragmentOverheadBytes;
}

function messageId(message: Uint8Array): number {
  return uint16(message, 0) * 0x1_0000 + uint16(message, 2);
}

/** Big-endian; bytes that are not there count as zero. */
function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
