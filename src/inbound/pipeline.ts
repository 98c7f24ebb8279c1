import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Tracer } from "../ports/tracer.ts";
import { type AdmissionComponents, admit } from "./admission.ts";
import type { Completion } from "./completion.ts";
import type { Dedup, Sighting } from "./dedup.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type InboundMessage, queueWaitMs } from "./message.ts";
import { Repeats, type RepeatsOptions } from "./repeats.ts";
import type { Route } from "./route.ts";
import { Turn } from "./turn.ts";

/** Collaborators of {@link Pipeline}. */
export interface PipelineComponents extends AdmissionComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tracer: Tracer | undefined;
  readonly dedup: Dedup;
  readonly completion: Completion;
  readonly dispatcher: Dispatcher;
}

/** What is decided once for a pipeline. */
export interface PipelineOptions extends RepeatsOptions {
  /** Whether conflict keys count; without, every message runs alone. */
  readonly concurrent: boolean;
}

/** Pause between two warnings of requests without their key, milliseconds. */
const warningPauseMs = 1_000;

const empty = new Uint8Array(0);

/**
 * What happens to one claimed message: admission → dedup → its turn among others → handler → completion.
 * Others may begin when the handler is done; commits and answers follow in their order.
 */
export class Pipeline {
  readonly #components: PipelineComponents;
  readonly #repeats: Repeats;
  readonly #concurrent: boolean;
  /** Requests that ran alone because their key could not be read, since the last warning. */
  #keyless = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(components: PipelineComponents, options: PipelineOptions) {
    this.#components = components;
    this.#repeats = new Repeats(components, options);
    this.#concurrent = options.concurrent;
  }

  /** What a claimed message is to do; nothing when it came to its end already. Never fails. */
  prepare(message: InboundMessage): Turn | undefined {
    const { completion, dedup, dispatcher } = this.#components;
    let turn: Turn;
    try {
      const route = admit(message, this.#components);
      const key = this.keyOf(message, route);
      const keyed = this.#concurrent && route.keyOf !== undefined;
      if (keyed && key === undefined) this.#warnOfKeyless(route.key);
      turn = new Turn(message, route, key, dispatcher);
    } catch (error) {
      return void completion.deny(message, ActrError.from(error));
    }
    const sighting = dedup.sight(message.from.key, message.envelope.requestId);
    if (sighting.kind === "fresh") return this.#traced(turn);
    this.#repeat(message, sighting);
    return undefined;
  }

  /** Runs the handler, when somebody still waits for it. Never fails: every failure becomes an answer, a retry or a dead letter. */
  start(turn: Turn): void | Promise<void> {
    const { dispatcher } = this.#components;
    try {
      this.#checkDeadline(turn.message);
      if (turn.route.explicit === true) dispatcher.requireRoom();
    } catch (error) {
      turn.endSpans(error);
      return this.#giveUp(turn.message, ActrError.from(error));
    }
    return dispatcher.start(turn);
  }

  /** Tells who waits for a request that it repeats. */
  close(reason: ActrError): void {
    this.#repeats.close(reason);
  }

  #traced(turn: Turn): Turn {
    const { tracer, clock } = this.#components;
    if (tracer === undefined) return turn;
    const { message } = turn;
    turn.received = tracer.start("ActrNode.mailbox_receive", message.envelope, {
      request_id: message.envelope.requestId,
      queue_wait_ms: queueWaitMs(message, clock),
    });
    return turn;
  }

  /** The key by which a message waits for others; none when it runs alone. */
  keyOf({ envelope, from }: InboundMessage, { keyOf }: Route): string | undefined {
    if (!this.#concurrent) return undefined;
    return keyOf?.(envelope.payload ?? empty, from.key);
  }

  /** Nobody waits any more for a plain call that has outlived its own deadline here. */
  #checkDeadline({ envelope, row, arrivedAt }: InboundMessage): void {
    if (row !== undefined || envelope.timeoutMs <= 0) return;
    const waitedMs = this.#components.clock.monotonic() - arrivedAt;
    if (waitedMs >= envelope.timeoutMs) {
      throw new ActrError("timed_out", `waited ${Math.round(waitedMs)} ms in the mailbox`);
    }
  }

  #giveUp(message: InboundMessage, error: ActrError): void {
    const { completion, dedup } = this.#components;
    completion.later(message, error);
    dedup.complete(message.from.key, message.envelope.requestId, undefined);
  }

  #repeat(message: InboundMessage, sighting: Exclude<Sighting, { kind: "fresh" }>): void {
    try {
      this.#checkDeadline(message);
    } catch (error) {
      return this.#components.completion.refuse(message, ActrError.from(error));
    }
    this.#repeats.take(message, sighting);
  }

  #warnOfKeyless(routeKey: string): void {
    const { clock, log } = this.#components;
    this.#keyless += 1;
    if (clock.monotonic() - this.#warnedAt < warningPauseMs) return;
    this.#warnedAt = clock.monotonic();
    log.warn("dispatch.key_missing", { route_key: routeKey, requests: this.#keyless });
    this.#keyless = 0;
  }
}
