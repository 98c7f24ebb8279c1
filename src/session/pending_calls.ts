import { ActrError } from "../errors.ts";
import type { Link } from "../ports/transport.ts";
import type { RpcEnvelope } from "../protocol/envelope.ts";

/** A call that waits for its answer. */
export interface PendingCall {
  readonly requestId: string;
  /** Text form of the peer that was asked; an answer from another is not taken. */
  readonly peerKey: string;
  /** The link that carried the request last. */
  readonly link: Link | undefined;
  /** An answer is here. The call closes itself, unless it goes on to try again. */
  answered(response: RpcEnvelope): void;
  /** The link that carried the request is gone. */
  disconnected(reason: string): void;
  /** The node stops. */
  fail(error: ActrError): void;
}

/** Calls in flight, by request id. */
export class PendingCalls {
  readonly #calls = new Map<string, PendingCall>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @throws ActrError `overloaded` when too many calls wait. */
  open(call: PendingCall): void {
    if (this.#calls.size >= this.#limit) {
      throw new ActrError(
        "overloaded",
        `${this.#calls.size} calls wait for an answer; send fewer at once or raise outbound.maxPending`,
        { retryAfterMs: 100 },
      );
    }
    this.#calls.set(call.requestId, call);
  }

  /** Ends the wait of `call`; of a later one under the same request id it does not. */
  close(call: PendingCall): void {
    if (this.#calls.get(call.requestId) === call) this.#calls.delete(call.requestId);
  }

  /** Hands an answer to its call. False when nobody waits for it, or another peer was asked. */
  settle(response: RpcEnvelope, peerKey: string): boolean {
    const call = this.#calls.get(response.requestId);
    if (call === undefined || call.peerKey !== peerKey) return false;
    call.answered(response);
    return true;
  }

  /** Tells the calls that a lost link carried. */
  disconnected(link: Link, reason: string): void {
    for (const call of [...this.#calls.values()]) {
      if (call.link === link) call.disconnected(reason);
    }
  }

  /** Ends every call with `error`. */
  failAll(error: ActrError): void {
    for (const call of [...this.#calls.values()]) call.fail(error);
  }
}
