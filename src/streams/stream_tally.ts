import type { Clock } from "../ports/clock.ts";
import type { LogAttributes, Logger } from "../ports/logger.ts";
import type { Peer } from "../session/peer.ts";
import { TokenBucket } from "../token_bucket.ts";
import { troubles } from "../trouble.ts";

/** A handler of a stream failed. */
export interface StreamFailure {
  readonly streamId: string;
  readonly error: unknown;
}

/** What {@link StreamTally} works with. */
export interface StreamTallyComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onFailure: (failure: StreamFailure) => void;
}

/** Drops and failures told at once; then one a second, so that a stranger cannot fill the log. */
const burst = 10;

/** Counts what becomes of chunks, and tells what goes wrong. */
export class StreamTally {
  readonly #components: StreamTallyComponents;
  readonly #dropsTold: TokenBucket;
  readonly #failuresTold: TokenBucket;
  #received = 0;
  #dropped = 0;
  #overflowed = 0;
  #failed = 0;
  #held = 0;

  constructor(components: StreamTallyComponents) {
    this.#components = components;
    const now = components.clock.monotonic();
    this.#dropsTold = new TokenBucket(burst, 1, now);
    this.#failuresTold = new TokenBucket(burst, 1, now);
  }

  /** Chunks accepted. */
  get received(): number {
    return this.#received;
  }

  /** Chunks that nobody waits for, that their sender may not send, or that are none. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Latency-first chunks that found their queue full. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Chunks whose handler threw. */
  get failed(): number {
    return this.#failed;
  }

  /** How often a connection was not read for a while, since its streams lagged. */
  get held(): number {
    return this.#held;
  }

  receive(): void {
    this.#received += 1;
  }

  overflow(): void {
    this.#overflowed += 1;
  }

  hold(from: Peer, streamId: string): void {
    this.#held += 1;
    this.#components.log.debug("stream.connection_held", { peer: from.key, stream_id: streamId });
  }

  /** A chunk of a peer is dropped under the name `event`. */
  drop(event: string, from: Peer, attributes: LogAttributes): void {
    this.#dropped += 1;
    const { clock, log } = this.#components;
    if (!this.#dropsTold.take(clock.monotonic())) return;
    log.warn(event, { peer: from.key, dropped: this.#dropped, ...attributes });
  }

  fail(failure: StreamFailure): void {
    this.#failed += 1;
    const { clock, log, onFailure } = this.#components;
    if (!this.#failuresTold.take(clock.monotonic())) return;
    const { streamId, error } = failure;
    const fields = { stream_id: streamId, failed: this.#failed, ...troubles.handlerError, error };
    log.warn("stream.handler_failed", fields);
    onFailure(failure);
  }
}
