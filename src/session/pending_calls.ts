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

/** Calls that end before the rest moves to a new map, if it is no longer than that. */
const freshAfter = 256;

/** Calls in flight, by request id. Calls under one id, such as one request to several peers, share an entry. */
export class PendingCalls {
  /** The one call of most entries is not worth a list. */
  #calls = new Map<string, PendingCall | readonly PendingCall[]>();
  #closed = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Entries. */
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
    const known = this.#calls.get(call.requestId);
    this.#calls.set(call.requestId, known === undefined ? call : [...listed(known), call]);
  }

  /** Ends the wait of `call`; of others under the same request id it does not. */
  close(call: PendingCall): void {
    const known = this.#calls.get(call.requestId);
    if (known === call) this.#forget(call.requestId);
    if (known === undefined || !isList(known)) return;
    const left = known.filter((each) => each !== call);
    if (left.length > 0) this.#calls.set(call.requestId, left);
    else this.#forget(call.requestId);
  }

  /** Hands an answer to its calls: it is the same for all that asked one peer under one id. False when nobody waits for it, or another peer was asked. */
  settle(response: RpcEnvelope, peerKey: string): boolean {
    const known = this.#calls.get(response.requestId);
    if (known === undefined) return false;
    if (isList(known)) return settleAll(known, response, peerKey);
    if (known.peerKey !== peerKey) return false;
    known.answered(response);
    return true;
  }

  /** Tells the calls that a lost link carried. */
  disconnected(link: Link, reason: string): void {
    for (const call of this.#all()) if (call.link === link) call.disconnected(reason);
  }

  /** Ends every call with `error`. */
  failAll(error: ActrError): void {
    for (const call of this.#all()) call.fail(error);
  }

  /** The tables that a map has outgrown hold on to calls until the next full garbage collection: a new map begins without. */
  #forget(requestId: string): void {
    this.#calls.delete(requestId);
    this.#closed += 1;
    if (this.#closed < freshAfter || this.#calls.size > freshAfter) return;
    this.#closed = 0;
    this.#calls = new Map(this.#calls);
  }

  #all(): PendingCall[] {
    return [...this.#calls.values()].flatMap(listed);
  }
}

function settleAll(calls: readonly PendingCall[], response: RpcEnvelope, peerKey: string): boolean {
  const asked = calls.filter((call) => call.peerKey === peerKey);
  for (const call of asked) call.answered(response);
  return asked.length > 0;
}

function isList(entry: PendingCall | readonly PendingCall[]): entry is readonly PendingCall[] {
  return Array.isArray(entry);
}

function listed(entry: PendingCall | readonly PendingCall[]): readonly PendingCall[] {
  return isList(entry) ? entry : [entry];
}
