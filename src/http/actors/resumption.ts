import { type Frame, frameBytes } from "../../host/connections/event_frames.ts";
import { equalBytes } from "../../protocol/bytes.ts";

/** Bytes that are kept for a client which has not said that it has them. */
const maxKeptBytes = 1024 * 1024;

/** What a small message costs beside its bytes. */
const frameOverhead = 64;

/** What a client that lost its socket needs to go on: the messages that it may not have, and how many of its own came. */
export class Resumption {
  readonly secret: Uint8Array;
  /** Messages of the client that have come. */
  received = 0;
  #kept: Frame[] = [];
  #keptBytes = 0;
  /** Messages that the client has, or that are not kept any more. */
  #gone = 0;

  constructor(secret: Uint8Array) {
    this.secret = secret;
  }

  isOf(secret: Uint8Array): boolean {
    return equalBytes(this.secret, secret);
  }

  /** Keeps a message that is sent; false when an older one had to go that the client may not have. */
  keep(frame: Frame): boolean {
    this.#kept.push(frame);
    this.#keptBytes += frameBytes(frame) + frameOverhead;
    let left = 0;
    while (this.#keptBytes > maxKeptBytes) this.#keptBytes -= sizeOf(this.#kept[left++]);
    this.#kept.splice(0, left);
    this.#gone += left;
    return left === 0;
  }

  /** The client has so many messages. */
  acknowledged(received: number): void {
    const count = received - this.#gone;
    if (!Number.isInteger(count) || count <= 0 || count > this.#kept.length) return;
    for (const frame of this.#kept.splice(0, count)) this.#keptBytes -= sizeOf(frame);
    this.#gone = received;
  }

  /** What a client has missed that has so many messages; undefined when it is not kept any more, or never was sent. */
  after(received: number): readonly Frame[] | undefined {
    if (received < this.#gone || received > this.#gone + this.#kept.length) return undefined;
    this.acknowledged(received);
    return [...this.#kept];
  }
}

function sizeOf(frame: Frame | undefined): number {
  return frame === undefined ? 0 : frameBytes(frame) + frameOverhead;
}
