import type { Span } from "../ports/tracer.ts";
import type { Reply } from "../reply.ts";
import type { Expiring } from "../session/deadlines.ts";
import type { HandlerContext } from "./handler_context.ts";
import type { InboundMessage } from "./message.ts";
import type { Request, Route } from "./route.ts";

/** What becomes of a turn. */
export interface TurnEnds {
  succeeded(turn: Turn, payload: Uint8Array): void;
  failed(turn: Turn, thrown: unknown): void;
  /** What its handler began failed after the answer. */
  reported(turn: Turn, thrown: unknown): void;
  /** Its deadline has passed. */
  expired(turn: Turn): void;
}

/** One message that is to be handled, until its handler has ended and it is answered; the first answer counts. */
export class Turn implements Reply<Uint8Array>, Request, Expiring {
  readonly message: InboundMessage;
  readonly route: Route;
  /** What it waits for others by; without one it runs alone. */
  readonly key: string | undefined;
  /** Since it began. */
  context: HandlerContext | undefined;
  /** From its claim to its answer. */
  received: Span | undefined;
  /** From the handler's beginning to its answer. */
  span: Span | undefined;
  /** Its handler goes on. */
  running = false;
  /** Its handler has ended, its answer is to come. */
  pending = false;
  /** Where its deadline is kept. */
  bucket: number | undefined;
  readonly #ends: TurnEnds;
  #closed = false;

  constructor(message: InboundMessage, route: Route, key: string | undefined, ends: TurnEnds) {
    this.message = message;
    this.route = route;
    this.key = key;
    this.#ends = ends;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(payload: Uint8Array): boolean {
    if (!this.close()) return false;
    this.#ends.succeeded(this, payload);
    return true;
  }

  fail(error: unknown): boolean {
    if (!this.close()) return false;
    this.#ends.failed(this, error);
    return true;
  }

  report(thrown: unknown): void {
    this.#ends.reported(this, thrown);
  }

  /** Takes the right to answer; false when it is gone. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    return true;
  }

  /** Ends its spans, as failed when an error is given. Idempotent. */
  endSpans(error?: unknown): void {
    this.span?.end(error);
    this.received?.end(error);
  }

  expire(): void {
    this.#ends.expired(this);
  }
}
