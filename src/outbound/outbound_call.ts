import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Link } from "../ports/transport.ts";
import { isDeadlock } from "../protocol/deadlock.ts";
import type { RpcEnvelope } from "../protocol/envelope.ts";
import type { Frame } from "../protocol/frame.ts";
import { type BufferLoan, loanOf } from "../protocol/frame_buffers.ts";
import type { ActrId } from "../protocol/ids.ts";
import { fromWireErrorWith } from "../protocol/wire_error.ts";
import type { Deadlines, Expiring } from "../session/deadlines.ts";
import { isNoRoute } from "../session/dialer.ts";
import type { PendingCall, PendingCalls } from "../session/pending_calls.ts";
import type { SessionManager } from "../session/session_manager.ts";
import type { YieldBudget } from "../session/yield_budget.ts";
import { isRefusal, mayRetry, pauseAfter, type RetryPolicy } from "./retry.ts";

/** What every call of a node shares. */
export interface CallPlumbing {
  readonly clock: Clock;
  readonly sessions: SessionManager;
  readonly pending: PendingCalls;
  readonly deadlines: Deadlines;
  readonly yields: YieldBudget;
}

/** One request to be sent until it is answered. */
export interface CallRequest {
  readonly target: ActrId;
  readonly targetKey: string;
  readonly requestId: string;
  readonly routeKey: string;
  readonly frame: Frame;
  readonly timeoutMs: number;
  readonly policy: RetryPolicy;
  /** A handler waits for it, and holds its key meanwhile. */
  readonly nested: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The two ends of the caller's promise. */
export interface Settlement {
  resolve(payload: Uint8Array): void;
  reject(error: unknown): void;
}

/**
 * One call on its way: sends, waits, and sends the same bytes under the same request id again
 * after a transient failure, all within one deadline.
 */
export class OutboundCall implements PendingCall, Expiring {
  readonly requestId: string;
  readonly peerKey: string;
  link: Link | undefined;
  /** Frames that the link had brought when the request left on it. */
  #arrived = 0;
  readonly #plumbing: CallPlumbing;
  readonly #request: CallRequest;
  readonly #settlement: Settlement;
  #attempt = 0;
  #finished = false;
  /** Whether it has been handed to a link at least once. */
  #reached = false;
  /** Of the frame's buffer, until the call has ended and no link needs its bytes. */
  readonly #loan: BufferLoan | undefined;
  #bucket = 0;
  #deadline = 0;
  #pause: Timer | undefined;
  /** Made only when a link has to be dialled. */
  #abort: AbortController | undefined;
  #cancel: (() => void) | undefined;

  constructor(plumbing: CallPlumbing, request: CallRequest, settlement: Settlement) {
    this.#plumbing = plumbing;
    this.#request = request;
    this.#settlement = settlement;
    this.#loan = loanOf(request.frame.body);
    this.requestId = request.requestId;
    this.peerKey = request.targetKey;
  }

  /** Begins. Every outcome, refusal included, goes to the settlement. */
  start(): void {
    const { pending, deadlines, clock } = this.#plumbing;
    const { signal, timeoutMs } = this.#request;
    if (signal?.aborted === true) return this.#settlement.reject(signal.reason);
    try {
      pending.open(this);
    } catch (error) {
      return this.#settlement.reject(error);
    }
    this.#deadline = clock.monotonic() + timeoutMs;
    this.#bucket = deadlines.add(this, this.#deadline);
    if (signal !== undefined) {
      this.#cancel = () => this.#fail(signal.reason);
      signal.addEventListener("abort", this.#cancel, { once: true });
    }
    this.#try();
  }

  answered(response: RpcEnvelope): void {
    const { payload, error, metadata } = response;
    if ((payload === undefined) === (error === undefined)) {
      return this.#fail(
        new ActrError(
          "decode_failure",
          `answer to ${this.#what()} has payload and error both or neither`,
        ),
      );
    }
    if (error !== undefined) return this.#retryOrFail(fromWireErrorWith(error, metadata));
    this.#finish();
    this.#settlement.resolve(payload as Uint8Array);
  }

  disconnected(reason: string): void {
    this.#retryOrFail(
      new ActrError(
        "unavailable",
        `connection to ${this.peerKey} closed during ${this.#what()}: ${reason}`,
      ),
    );
  }

  fail(error: ActrError): void {
    this.#fail(error);
  }

  expire(): void {
    const { link } = this;
    this.#fail(
      new ActrError(
        "timed_out",
        `no answer to ${this.#what()} within ${this.#request.timeoutMs} ms`,
        {
          details: { peer: this.peerKey, requestId: this.requestId, attempts: this.#attempt },
        },
      ),
    );
    if (link !== undefined) this.#plumbing.sessions.dropSilent(link, this.#arrived);
  }

  #try(): void {
    this.#attempt += 1;
    this.#pause = undefined;
    const { sessions } = this.#plumbing;
    const link = sessions.requestLink(this.peerKey);
    if (link !== undefined) return this.#send(link);
    this.#abort ??= new AbortController();
    const patient = this.#attempt > 1;
    sessions.acquire(this.#request.target, this.peerKey, this.#abort.signal, { patient }).then(
      (acquired) => {
        if (!this.#finished) this.#send(acquired);
      },
      (error: unknown) => this.#unreached(ActrError.from(error, "unavailable")),
    );
  }

  /**
   * A peer that nobody knows is no use waiting for; one that this call has reached before may be on its way back.
   * A node that may not send now says so at once, but does not give up what it has begun.
   */
  #unreached(error: ActrError): void {
    if (isRefusal(error, this.#attempt)) return this.#fail(error);
    const gone = isNoRoute(error) && this.#reached;
    this.#retryOrFail(gone ? new ActrError("unavailable", error.message, { cause: error }) : error);
  }

  #send(link: Link): void {
    this.link = link;
    this.#arrived = this.#plumbing.sessions.arrivedOn(link);
    this.#reached = true;
    link.send(this.#request.frame, this.#loan?.lend()).catch((error: unknown) => {
      if (this.link === link) this.#retryOrFail(ActrError.from(error, "unavailable"));
    });
  }

  #retryOrFail(error: ActrError): void {
    if (this.#finished || this.#pause !== undefined) return;
    const { policy } = this.#request;
    this.link = undefined;
    const pauseMs = pauseAfter(policy, this.#attempt, error.retryAfterMs);
    const { clock } = this.#plumbing;
    const inTime = clock.monotonic() + pauseMs < this.#deadline;
    const hopeless = !mayRetry(error) || (this.#request.nested && isDeadlock(error));
    if (hopeless || this.#attempt >= policy.attempts || !inTime) return this.#fail(error);
    this.#pause = clock.timer(clock.now() + pauseMs, () => this.#try());
  }

  #fail(error: unknown): void {
    if (this.#finished) return;
    this.#finish();
    this.#abort?.abort(error);
    this.#settlement.reject(error);
  }

  #finish(): void {
    this.#finished = true;
    this.#pause?.cancel();
    this.#plumbing.pending.close(this);
    this.#plumbing.deadlines.remove(this, this.#bucket);
    if (this.#cancel !== undefined) {
      this.#request.signal?.removeEventListener("abort", this.#cancel);
    }
    this.#loan?.release();
  }

  #what(): string {
    return `call ${this.#request.routeKey}`;
  }
}
