import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { writeAction } from "../protocol/actors/client_codec.ts";
import type { Deadlines } from "../session/deadlines.ts";
import { LinkCall } from "./link_call.ts";

/** What {@link LinkCalls} work with. */
export interface LinkCallsParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Deadline of an action, milliseconds. */
  readonly timeoutMs: number;
}

/** Actions that may wait for the connection. */
const maxWaiting = 1024;

/** Actions of a connection that are not answered: those that wait for a socket, and those that were sent. */
export class LinkCalls {
  readonly #parts: LinkCallsParts;
  /** By the id that the answer bears. */
  readonly #sent = new Map<bigint, LinkCall>();
  #waiting: LinkCall[] = [];
  #lastId = -1n;

  constructor(parts: LinkCallsParts) {
    this.#parts = parts;
  }

  /** Why no more may begin, if so: too many wait for the connection. */
  get refusal(): ActrError | undefined {
    if (this.#waiting.length < maxWaiting) return undefined;
    const message = `${maxWaiting} actions wait for the connection; ask again later`;
    return new ActrError("overloaded", message);
  }

  /** One more, whose deadline counts from now. */
  begin(name: string, args: readonly unknown[]): LinkCall {
    const { clock, deadlines, timeoutMs } = this.#parts;
    const call = new LinkCall(name, args, (late) => this.#forget(late));
    call.bucket = deadlines.add(call, clock.monotonic() + timeoutMs);
    return call;
  }

  /** There is no socket for it yet. */
  wait(call: LinkCall): void {
    this.#waiting.push(call);
  }

  /** Those that waited for a socket, in their order. */
  takeWaiting(): readonly LinkCall[] {
    return this.#waiting.splice(0);
  }

  /** Hands the message of a call to `put`, which tells which of the connection's messages it is. */
  send(call: LinkCall, put: (message: Uint8Array<ArrayBuffer>) => number): void {
    const id = this.#lastId + 1n;
    try {
      call.number = put(writeAction(id, call.name, call.args));
    } catch (error) {
      return this.done(call).reject(error);
    }
    this.#lastId = id;
    call.id = id;
    this.#sent.set(id, call);
  }

  /** The call that an answer of this id is for, if it still waits. */
  sent(id: bigint): LinkCall | undefined {
    return this.#sent.get(id);
  }

  /** It waits no longer: it is about to be told why. */
  done(call: LinkCall): LinkCall {
    this.#parts.deadlines.remove(call, call.bucket);
    this.#forget(call);
    return call;
  }

  /** What was sent will not be answered any more. */
  failSent(cause: ActrError): void {
    for (const call of [...this.#sent.values()]) this.done(call).reject(unanswered(call, cause));
  }

  /** Nothing will be answered any more. */
  failAll(error: ActrError): void {
    for (const call of [...this.#waiting, ...this.#sent.values()]) this.done(call).reject(error);
  }

  #forget(call: LinkCall): void {
    if (call.id !== undefined) this.#sent.delete(call.id);
    else this.#waiting = this.#waiting.filter((each) => each !== call);
  }
}

function unanswered({ name }: LinkCall, cause: ActrError): ActrError {
  const message = `the connection was lost before ${name} was answered; it may have run`;
  return new ActrError("unavailable", message, { cause });
}
