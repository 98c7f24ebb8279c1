import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import type { Span, Tracer } from "../ports/tracer.ts";
import { formatActrId } from "../protocol/ids.ts";
import { type AdmissionComponents, admit } from "./admission.ts";
import type { Completion } from "./completion.ts";
import type { Dedup, Joiner, Sighting } from "./dedup.ts";
import { HandlerContext, type NodeScope } from "./handler_context.ts";
import { type InboundMessage, isAnswerable } from "./message.ts";
import { answerFrame, failureFrame } from "./replier.ts";
import type { Route } from "./route.ts";

/** A handler that ended badly. */
export interface HandlerFailure {
  /** `crash`: it threw something that is not an ActrError. */
  readonly kind: "error" | "crash";
  readonly error: ActrError;
  readonly message: InboundMessage;
}

/** Collaborators of {@link Pipeline}. */
export interface PipelineComponents extends AdmissionComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly dedup: Dedup;
  readonly completion: Completion;
  readonly scope: NodeScope;
  readonly tracer: Tracer | undefined;
  readonly onFailure: (failure: HandlerFailure) => void;
}

/** One run of a handler. */
interface Turn {
  readonly message: InboundMessage;
  readonly context: HandlerContext;
  readonly span: Span | undefined;
}

const empty = new Uint8Array(0);

/**
 * What happens to one claimed message: admission → dedup → handler → completion.
 * The next message may begin when the handler is done; commits and answers follow in their order.
 */
export class Pipeline {
  readonly #components: PipelineComponents;

  constructor(components: PipelineComponents) {
    this.#components = components;
  }

  /** Handles a claimed message. Never fails: every failure becomes an answer, a retry or a dead letter. */
  handle(message: InboundMessage): void | Promise<void> {
    if (message.row !== undefined && message.row.attempts > 0) return this.#handleSuspect(message);
    return this.#handleClaimed(message);
  }

  /** A message that was held when a process died: its claim is on disk before the handler sees it, so that a deadly one is counted. */
  async #handleSuspect(message: InboundMessage): Promise<void> {
    try {
      await this.#components.store.commit(claimOf(message));
    } catch (error) {
      return this.#components.completion.postpone(message, ActrError.from(error, "storage"));
    }
    return this.#handleClaimed(message);
  }

  #handleClaimed(message: InboundMessage): void | Promise<void> {
    const { completion, dedup } = this.#components;
    const { envelope, from } = message;
    let route: Route;
    try {
      this.#checkDeadline(message);
      route = admit(message, this.#components);
    } catch (error) {
      return completion.deny(message, ActrError.from(error));
    }
    return this.#sighted(message, route, dedup.sight(from.key, envelope.requestId));
  }

  /** Nobody waits any more for a plain call that has outlived its own deadline here. */
  #checkDeadline(message: InboundMessage): void {
    const { timeoutMs } = message.envelope;
    if (message.row !== undefined || timeoutMs <= 0) return;
    const waitedMs = this.#components.clock.monotonic() - message.arrivedAt;
    if (waitedMs >= timeoutMs) {
      throw new ActrError("timed_out", `waited ${Math.round(waitedMs)} ms in the mailbox`);
    }
  }

  #sighted(message: InboundMessage, route: Route, sighting: Sighting): void | Promise<void> {
    const { completion } = this.#components;
    switch (sighting.kind) {
      case "fresh":
        return this.#dispatch(message, route);
      case "answered":
        return completion.repeat(message, sighting.answer);
      case "in_flight":
        return this.#join(message, sighting.join);
    }
  }

  #join(message: InboundMessage, join: (joiner: Joiner) => boolean): void {
    const { completion } = this.#components;
    const joined = join((answer) => {
      if (answer === undefined) completion.again(message);
      else completion.repeat(message, answer);
    });
    if (joined) return;
    const reason = "this request is being handled, and enough of its repeats wait for it";
    completion.refuse(message, new ActrError("overloaded", reason, { retryAfterMs: 100 }));
  }

  #dispatch(message: InboundMessage, route: Route): void | Promise<void> {
    const turn = this.#begin(message);
    try {
      const result = route.handle(message.envelope.payload ?? empty, turn.context);
      if (result instanceof Uint8Array) return this.#succeeded(turn, result);
      this.#markClaimed(message);
      return result.then(
        (payload) => this.#succeeded(turn, payload),
        (error: unknown) => this.#failed(turn, error),
      );
    } catch (error) {
      return this.#failed(turn, error);
    }
  }

  #begin(message: InboundMessage): Turn {
    const { scope, tracer } = this.#components;
    const { envelope } = message;
    const span = tracer?.start("ActrNode.handle_incoming", envelope, {
      actr_id: formatActrId(scope.node.selfId),
      route_key: envelope.routeKey,
      request_id: envelope.requestId,
    });
    const context = new HandlerContext(scope, message, span?.context ?? envelope);
    return { message, context, span };
  }

  /** An asynchronous handler may outlive this turn: its claim goes to disk with the turn's commit, not awaited. */
  #markClaimed(message: InboundMessage): void {
    if (message.row === undefined || message.row.attempts > 0) return;
    const { store, log } = this.#components;
    store.commit(claimOf(message)).catch((error: unknown) => {
      log.warn("mailbox.claim_failed", { id: message.row?.id, error });
    });
  }

  #succeeded({ message, context, span }: Turn, payload: Uint8Array): void {
    span?.end();
    const answer = answerFrame(message.envelope, payload);
    this.#components.completion.finish(message, {
      answer,
      changes: context.close(),
      retryable: false,
    });
  }

  #failed({ message, context, span }: Turn, thrown: unknown): void {
    const { completion, onFailure } = this.#components;
    span?.end(thrown);
    context.close();
    const { envelope } = message;
    const error = ActrError.is(thrown)
      ? thrown
      : new ActrError("internal", `handler of ${envelope.routeKey} crashed`, { cause: thrown });
    onFailure({ kind: error === thrown ? "error" : "crash", error, message });
    if (isAnswerable(message)) {
      const answer = failureFrame(envelope, error);
      return completion.finish(message, { answer, changes: [], retryable: error.retryable });
    }
    if (error.retryable) return completion.later(message, error);
    const undecodable = error.code === "decode_failure";
    completion.bury(message, undecodable ? "protobuf_decode" : "handler_error", error);
  }
}

function claimOf(message: InboundMessage): StoreChange[] {
  return message.row === undefined ? [] : [{ kind: "mailbox.claim", seq: message.row.seq }];
}
