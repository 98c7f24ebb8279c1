import type { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { Link } from "../ports/transport.ts";
import {
  directions,
  envelopeFrame,
  type RpcEnvelope,
  type WireError,
} from "../protocol/envelope.ts";
import { type Frame, lanes } from "../protocol/frame.ts";
import type { BufferLoan } from "../protocol/frame_buffers.ts";
import { type MetadataEntry, noMetadata } from "../protocol/metadata.ts";
import { errorMetadata, toWireError } from "../protocol/wire_error.ts";
import type { SessionManager } from "../session/session_manager.ts";
import { troubles } from "../trouble.ts";
import { type InboundMessage, isAnswerable, messageFields } from "./message.ts";

/** The answer to a request: its payload, with the request's id, route and trace. */
export function answerFrame(request: RpcEnvelope, payload: Uint8Array): Frame {
  return responseFrame(request, payload, undefined, noMetadata);
}

/** The answer that carries an error. */
export function failureFrame(request: RpcEnvelope, error: ActrError): Frame {
  return responseFrame(request, undefined, toWireError(error), errorMetadata(error));
}

const empty = new Uint8Array(0);

/** Stands for the answer to a message that nobody waits for: what is remembered is that it was handled. */
export const noAnswer: Frame = { lane: lanes.rpcReliable, body: empty };

/** What a repeat of a request hears: the answer that was remembered, or an empty one where nobody waited for any. */
export function repeatedFrame(request: RpcEnvelope, body: Uint8Array): Frame {
  return body.length === 0 ? answerFrame(request, empty) : { lane: lanes.rpcReliable, body };
}

/** Answers leave on the reliable lane, also those to signals (`spec/transport.md` §5.5). */
function responseFrame(
  { routeKey, requestId, traceparent, tracestate }: RpcEnvelope,
  payload: Uint8Array | undefined,
  error: WireError | undefined,
  metadata: readonly MetadataEntry[],
): Frame {
  return envelopeFrame(lanes.rpcReliable, {
    routeKey,
    payload,
    error,
    direction: directions.response,
    traceparent,
    tracestate,
    requestId,
    metadata,
    timeoutMs: 0,
  });
}

/** Sends answers: on the link that the request came by, else on any live link to that peer (`spec/transport.md` §5.5). */
export class Replier {
  readonly #sessions: SessionManager;
  readonly #log: Logger;
  #undeliverable = 0;

  constructor(sessions: SessionManager, log: Logger) {
    this.#sessions = sessions;
    this.#log = log;
  }

  /** Answers that found no link; a retry under the same request id gets them from the dedup. */
  get undeliverable(): number {
    return this.#undeliverable;
  }

  /** Sends an answer, whose buffer is lent to the link from `loan`. Tells, and what is answered already, get none. */
  reply(message: InboundMessage, answer: Frame, loan?: BufferLoan): void {
    if (isAnswerable(message)) this.#send(message, answer, loan);
  }

  /** Answers with an error. */
  fail(message: InboundMessage, error: ActrError): void {
    if (isAnswerable(message)) this.#send(message, failureFrame(message.envelope, error));
  }

  /** Tells the sender of a durable send that it is on disk. */
  accept(message: InboundMessage): void {
    this.#send(message, answerFrame(message.envelope, empty));
  }

  /** Answers with an error what was not accepted: a durable send, too. */
  refuse(message: InboundMessage, error: ActrError): void {
    const { envelope } = message;
    if (envelope.direction !== directions.request) return;
    this.#send(message, failureFrame(envelope, error));
  }

  #send(message: InboundMessage, answer: Frame, loan?: BufferLoan): void {
    const link = this.#sessions.session(message.from.key)?.replyLink(message.link);
    if (link === undefined) return this.#undelivered(message, "no link to the caller");
    if (link !== message.link) this.#otherWay(message, link);
    link
      .send(answer, loan?.lend())
      .catch((error: unknown) => this.#undelivered(message, String(error)));
  }

  /** The link that the request came by is gone; after a restart there is none to miss. */
  #otherWay(message: InboundMessage, { transport }: Link): void {
    if (message.link === undefined) return;
    const fields = { ...messageFields(message), ...troubles.wayLost, transport };
    this.#log.warn("rpc.reply_rerouted", fields);
  }

  #undelivered(message: InboundMessage, reason: string): void {
    this.#undeliverable += 1;
    const fields = { ...messageFields(message), ...troubles.replyFailed, reason };
    this.#log.warn("rpc.reply_undeliverable", fields);
  }
}
