import { Deque } from "../deque.ts";
import type { InboundMessage } from "./message.ts";

/** One sender's part in a long line. */
interface Part {
  inLine: number;
  /** What it sent beyond its share, in order. */
  readonly aside: Deque<InboundMessage>;
}

/**
 * First in, first out, as long as no sender has more than its share in the line. What one sends beyond that
 * waits aside and takes its place at the end of the line as its earlier messages leave, so that a flood
 * delays others by one share at most. A sender's own messages stay in order.
 */
export class FairQueue {
  readonly #share: number;
  readonly #line = new Deque<InboundMessage>();
  /** By sender; counted only while the line is longer than one share. */
  #parts: Map<string, Part> | undefined;
  #aside = 0;

  constructor(share: number) {
    this.#share = share;
  }

  get size(): number {
    return this.#line.size + this.#aside;
  }

  push(message: InboundMessage): void {
    if (this.#parts === undefined && this.#line.size < this.#share) return this.#line.push(message);
    this.#parts ??= this.#count();
    const part = partOf(this.#parts, message);
    if (part.inLine < this.#share) {
      part.inLine += 1;
      this.#line.push(message);
    } else {
      part.aside.push(message);
      this.#aside += 1;
    }
  }

  shift(): InboundMessage | undefined {
    const message = this.#line.shift();
    if (message !== undefined && this.#parts !== undefined) this.#follow(this.#parts, message);
    return message;
  }

  /** The sender's next message takes the place that one of its messages has left. */
  #follow(parts: Map<string, Part>, message: InboundMessage): void {
    const part = partOf(parts, message);
    const next = part.aside.shift();
    if (next !== undefined) {
      this.#aside -= 1;
      this.#line.push(next);
      return;
    }
    part.inLine -= 1;
    if (part.inLine === 0) parts.delete(message.from.key);
    if (this.#line.size === 0) this.#parts = undefined;
  }

  #count(): Map<string, Part> {
    const parts = new Map<string, Part>();
    for (let left = this.#line.size; left > 0; left--) {
      const message = this.#line.shift();
      if (message === undefined) break;
      partOf(parts, message).inLine += 1;
      this.#line.push(message);
    }
    return parts;
  }
}

function partOf(parts: Map<string, Part>, { from }: InboundMessage): Part {
  let part = parts.get(from.key);
  if (part === undefined) {
    part = { inLine: 0, aside: new Deque() };
    parts.set(from.key, part);
  }
  return part;
}
