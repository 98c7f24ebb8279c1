import { Deque } from "../deque.ts";
import type { FrameStream } from "../ports/transport.ts";
import type { Frame } from "../protocol/frame.ts";

/** Bytes that a queued frame is counted as beside its body, so that empty frames are bounded too. */
const frameOverheadBytes = 64;

const done: IteratorResult<Frame, undefined> = { done: true, value: undefined };

/** What a {@link FrameQueue} tells its owner. */
export interface FrameQueueEvents {
  /** More than the limit is queued: stop reading. */
  full(): void;
  /** At most half of the limit is queued again. */
  roomy(): void;
}

/** Frames between a socket and the one loop that reads them. After {@link end} what is queued can still be read. */
export class FrameQueue implements FrameStream {
  readonly #maxBytes: number;
  readonly #events: FrameQueueEvents;
  readonly #items = new Deque<Frame>();
  #bytes = 0;
  #full = false;
  #ended = false;
  #reader: ((result: IteratorResult<Frame, undefined>) => void) | undefined;

  /** @param maxBytes bytes queued above which the owner is told to stop reading. */
  constructor(maxBytes: number, events: FrameQueueEvents) {
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Frame): void {
    if (this.#ended) return;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader({ done: false, value: frame });
      return;
    }
    this.#items.push(frame);
    this.#bytes += frame.body.length + frameOverheadBytes;
    if (this.#full || this.#bytes <= this.#maxBytes) return;
    this.#full = true;
    this.#events.full();
  }

  end(): void {
    this.#ended = true;
    this.#reader?.(done);
    this.#reader = undefined;
  }

  poll(): Frame | undefined {
    const frame = this.#items.shift();
    if (frame === undefined) return undefined;
    this.#bytes -= frame.body.length + frameOverheadBytes;
    if (this.#full && this.#bytes <= this.#maxBytes / 2) {
      this.#full = false;
      this.#events.roomy();
    }
    return frame;
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame, undefined> {
    return { next: () => this.#read() };
  }

  #read(): Promise<IteratorResult<Frame, undefined>> {
    const value = this.poll();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve(done);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}
