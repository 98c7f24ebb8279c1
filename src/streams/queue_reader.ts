import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { DataChunk } from "../protocol/data_chunk.ts";
import { streamEndOf } from "../protocol/stream_end.ts";
import type { StreamReader } from "../stream.ts";
import type { ChunkSink } from "./inbound_stream.ts";

/** What {@link QueueReader} works with. */
export interface QueueReaderComponents {
  readonly clock: Clock;
  /** Ends the registration. */
  readonly onClosed: () => void;
}

/** How {@link QueueReader} reads. */
export interface QueueReaderOptions {
  /** Begins the text of errors. */
  readonly what: string;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

type Result = IteratorResult<DataChunk, undefined>;

/** The loop that waits for the next chunk. */
interface Waiting {
  readonly since: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const done: Result = { done: true, value: undefined };

/**
 * A stream as something to iterate. It holds at most one chunk: while nobody asks for it, the stream's
 * queue waits, and with that in the end the connection.
 */
export class QueueReader implements StreamReader, ChunkSink {
  readonly #components: QueueReaderComponents;
  readonly #options: QueueReaderOptions;
  readonly #abort = (): void => this.#finish(this.#options.signal?.reason);
  #held: { readonly chunk: DataChunk; readonly taken: () => void } | undefined;
  #waiting: Waiting | undefined;
  #idle: Timer | undefined;
  #ended = false;
  /** What the next look at the stream throws, once. */
  #failure: { readonly error: unknown } | undefined;

  constructor(components: QueueReaderComponents, options: QueueReaderOptions) {
    this.#components = components;
    this.#options = options;
    options.signal?.addEventListener("abort", this.#abort, { once: true });
  }

  readonly take = (chunk: DataChunk): void | Promise<void> => {
    if (this.#ended) return;
    const end = streamEndOf(chunk);
    if (end !== undefined) return end.error === undefined ? this.close() : this.#finish(end.error);
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      return waiting.resolve({ done: false, value: chunk });
    }
    return new Promise((taken) => {
      this.#held = { chunk, taken };
    });
  };

  ended(reason: ActrError): void {
    this.#finish(reason);
  }

  next(): Promise<Result> {
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      held.taken();
      return Promise.resolve({ done: false, value: held.chunk });
    }
    if (this.#ended) return this.#last();
    if (this.#waiting !== undefined) {
      return Promise.reject(new TypeError("a stream is read by one loop at a time"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { since: this.#components.clock.monotonic(), resolve, reject };
      this.#watch(this.#options.idleTimeoutMs);
    });
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve(done);
  }

  close(): void {
    if (this.#end()) this.#waiting?.resolve(done);
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #finish(error: unknown): void {
    if (!this.#end()) return;
    if (this.#waiting === undefined) this.#failure = { error };
    else this.#waiting.reject(error);
    this.#waiting = undefined;
  }

  /** False when it has ended before. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#idle?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#held?.taken();
    this.#held = undefined;
    this.#components.onClosed();
    return true;
  }

  #last(): Promise<Result> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve(done) : Promise.reject(failure.error);
  }

  /** One timer for many waits: it looks how old the one of its time is. */
  #watch(inMs: number): void {
    if (this.#idle !== undefined || inMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#components;
    this.#idle = clock.timer(clock.now() + inMs, () => this.#look());
  }

  #look(): void {
    this.#idle = undefined;
    if (this.#waiting === undefined) return;
    const { idleTimeoutMs, what } = this.#options;
    const leftMs = this.#waiting.since + idleTimeoutMs - this.#components.clock.monotonic();
    if (leftMs > 0) return this.#watch(leftMs);
    this.#finish(new ActrError("timed_out", `${what}: no chunk for ${idleTimeoutMs} ms`));
  }
}
