import { ActrError } from "../errors.ts";
import { Histogram } from "../histogram.ts";
import type { DispatchOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import type { Tracer } from "../ports/tracer.ts";
import { Deadlines } from "../session/deadlines.ts";
import { troubles } from "../trouble.ts";
import type { Completion } from "./completion.ts";
import { HandlerContext, type NodeScope } from "./handler_context.ts";
import { type InboundMessage, isAnswerable, messageFields } from "./message.ts";
import { answerFrame, failureFrame, noAnswer } from "./replier.ts";
import type { Handled } from "./route.ts";
import type { Turn, TurnEnds } from "./turn.ts";

/** A handler that ended badly. */
export interface HandlerFailure {
  /** `crash`: it threw something that is not an ActrError. */
  readonly kind: "error" | "crash";
  readonly error: ActrError;
  readonly message: InboundMessage;
}

/** Collaborators of {@link Dispatcher}. */
export interface DispatcherComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly completion: Completion;
  readonly scope: NodeScope;
  readonly tracer: Tracer | undefined;
  readonly onFailure: (failure: HandlerFailure) => void;
}

const empty = new Uint8Array(0);

/** Runs handlers: within their time, each apart from all others; their outcome goes to the completion. */
export class Dispatcher implements TurnEnds {
  readonly #components: DispatcherComponents;
  readonly #options: DispatchOptions;
  readonly #deadlines: Deadlines;
  /** Suspects whose claim is being written, handlers that outlive the turn of the event loop in which they began, and replies that are to come. */
  readonly #open = new Set<Turn>();
  /** Handlers that run though their time is up. */
  readonly #overdue = new Set<Turn>();
  #pendingReplies = 0;
  /** Handlers that outlived the turn of the event loop in which they began, by the seconds that they took: the clock is not read for all others. */
  readonly times: Histogram = new Histogram();

  constructor(components: DispatcherComponents, options: DispatchOptions) {
    this.#components = components;
    this.#options = options;
    this.#deadlines = new Deadlines(components.clock);
  }

  /** Explicit replies that are to come. */
  get pendingReplies(): number {
    return this.#pendingReplies;
  }

  /** Handlers that run though their time is up. */
  get overdue(): number {
    return this.#overdue.size;
  }

  /** @throws ActrError `overloaded` with a hint when too many explicit replies are to come already. */
  requireRoom(): void {
    if (this.#pendingReplies < this.#options.maxPendingReplies) return;
    const reason = `${this.#pendingReplies} replies are to come already; send again later`;
    throw new ActrError("overloaded", reason, { retryAfterMs: 100 });
  }

  /** Runs a handler; what it returns settles when the handler has ended. Never fails: every failure becomes an answer, a retry or a dead letter. */
  start(turn: Turn): void | Promise<void> {
    const { row } = turn.message;
    return row !== undefined && row.attempts > 0 ? this.#startSuspect(turn) : this.#run(turn);
  }

  /** Answers everybody who waits with `reason`; what handlers do from now on counts no more. Durable messages stay in the store. */
  abandon(reason: ActrError): void {
    for (const turn of this.#open) {
      turn.close();
      this.#close(turn, reason);
      if (turn.message.row === undefined) this.#components.completion.refuse(turn.message, reason);
    }
    this.#deadlines.close();
  }

  succeeded(turn: Turn, payload: Uint8Array): void {
    const changes = this.#close(turn);
    const { message } = turn;
    const answer = isAnswerable(message) ? answerFrame(message.envelope, payload) : noAnswer;
    this.#components.completion.finish(message, { answer, changes, retryable: false });
  }

  failed(turn: Turn, thrown: unknown): void {
    const { completion } = this.#components;
    const { message } = turn;
    this.#close(turn, thrown);
    const error = this.reported(turn, thrown);
    if (isAnswerable(message)) {
      const answer = failureFrame(message.envelope, error);
      return completion.finish(message, { answer, changes: [], retryable: error.retryable });
    }
    if (error.retryable) return completion.later(message, error);
    const undecodable = error.code === "decode_failure";
    completion.bury(message, undecodable ? "protobuf_decode" : "handler_error", error);
  }

  reported({ message }: Turn, thrown: unknown): ActrError {
    const { routeKey } = message.envelope;
    const error = ActrError.is(thrown)
      ? thrown
      : new ActrError("internal", `handler of ${routeKey} crashed`, { cause: thrown });
    const kind = error === thrown ? "error" : "crash";
    this.#components.onFailure({ kind, error, message });
    return error;
  }

  expired(turn: Turn): void {
    const { routeKey } = turn.message.envelope;
    if (turn.running) this.#overdue.add(turn);
    const what = turn.running ? "has not ended" : "has not replied";
    turn.fail(new ActrError("timed_out", `the handler of ${routeKey} ${what} in time`));
  }

  /** A message that was held when a process died: its claim is on disk before the handler sees it, so that a deadly one is counted. */
  async #startSuspect(turn: Turn): Promise<void> {
    const { store, completion } = this.#components;
    this.#open.add(turn);
    try {
      await store.commit(claimOf(turn.message));
    } catch (error) {
      this.#close(turn, error);
      return completion.postpone(turn.message, ActrError.from(error, "storage"));
    }
    // The node may have stopped by now.
    if (!turn.closed) return this.#run(turn);
  }

  #run(turn: Turn): void | Promise<void> {
    const { message, route } = turn;
    const context = this.#begin(turn);
    const { span } = turn;
    try {
      const payload = message.envelope.payload ?? empty;
      const result =
        span === undefined
          ? route.handle(payload, context, turn, turn)
          : span.run(() => route.handle(payload, context, turn, turn));
      if (result instanceof Promise) return this.#outlive(turn, result);
      if (result !== undefined) turn.send(result);
      else this.#awaitReply(turn);
    } catch (error) {
      this.#fail(turn, error);
    }
    context.leave();
  }

  #begin(turn: Turn): HandlerContext {
    const { scope, tracer } = this.#components;
    const { envelope } = turn.message;
    turn.span = tracer?.start("ActrNode.handle_incoming", turn.received?.context ?? envelope, {
      route_key: envelope.routeKey,
      request_id: envelope.requestId,
    });
    turn.context = new HandlerContext(scope, turn.message, turn.span?.context ?? envelope);
    return turn.context;
  }

  /** The handler goes on after this turn of the event loop, within its time. */
  async #outlive(turn: Turn, result: Promise<Handled>): Promise<void> {
    const { clock } = this.#components;
    const began = clock.monotonic();
    turn.running = true;
    this.#keep(turn, this.#options.timeoutMs);
    try {
      const payload = await result;
      turn.running = false;
      if (payload !== undefined) turn.send(payload);
      else this.#awaitReply(turn);
    } catch (error) {
      this.#fail(turn, error);
    }
    turn.running = false;
    this.times.observe((clock.monotonic() - began) / 1000);
    this.#overdue.delete(turn);
    turn.context?.leave();
  }

  /** The handler has ended without an answer: that may come until the request's own deadline. */
  #awaitReply(turn: Turn): void {
    if (turn.closed) return;
    const { arrivedAt, envelope } = turn.message;
    const waitedMs = this.#components.clock.monotonic() - arrivedAt;
    const leftMs = envelope.timeoutMs - waitedMs;
    this.#unwatch(turn);
    this.#keep(turn, envelope.timeoutMs > 0 ? leftMs : this.#options.replyTimeoutMs);
    turn.pending = true;
    this.#pendingReplies += 1;
  }

  /** Watches over a turn that is not answered yet. */
  #keep(turn: Turn, timeoutMs: number | undefined): void {
    if (turn.closed) return;
    if (!this.#open.has(turn)) this.#markClaimed(turn.message);
    this.#open.add(turn);
    if (timeoutMs === undefined) return;
    turn.bucket = this.#deadlines.add(turn, this.#components.clock.monotonic() + timeoutMs);
  }

  #unwatch(turn: Turn): void {
    if (turn.bucket !== undefined) this.#deadlines.remove(turn, turn.bucket);
    turn.bucket = undefined;
  }

  /** Fails a turn; one that was answered already is past that, so at least the log is told. */
  #fail(turn: Turn, error: unknown): void {
    if (turn.fail(error)) return;
    const fields = { ...messageFields(turn.message), ...troubles.handlerError, error };
    this.#components.log.warn("rpc.failed_after_answer", fields);
  }

  /** Ends the watch and the writing of an answered turn; returns what is to be committed. */
  #close(turn: Turn, error?: unknown): readonly StoreChange[] {
    this.#open.delete(turn);
    this.#unwatch(turn);
    if (turn.pending) this.#pendingReplies -= 1;
    turn.pending = false;
    turn.endSpans(error);
    return turn.context?.close() ?? [];
  }

  /** A handler that outlives its turn of the event loop: its claim goes to disk with that turn's commit, not awaited. */
  #markClaimed(message: InboundMessage): void {
    if (message.row === undefined || message.row.attempts > 0) return;
    const { store, log } = this.#components;
    store.submit(claimOf(message), (error) => {
      if (error === undefined) return;
      const fields = { ...messageFields(message), ...troubles.mailboxFailed, error };
      log.warn("mailbox.claim_failed", fields);
    });
  }
}

function claimOf({ row }: InboundMessage): StoreChange[] {
  return row === undefined ? [] : [{ kind: "mailbox.claim", seq: row.seq }];
}
