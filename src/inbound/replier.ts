import type { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import {
  directions,
  encodeEnvelope,
  type RpcEnvelope,
  type WireError,
} from "../protocol/envelope.ts";
import { lanes } from "../protocol/frame.ts";
import { noMetadata } from "../protocol/metadata.ts";
import { toWireError } from "../protocol/wire_error.ts";
import type { SessionManager } from "../session/session_manager.ts";
import { type InboundMessage, isAnswerable } from "./message.ts";

/** Bytes of the answer to a request: its payload, with the request's id, route and trace. */
export function encodeAnswer(request: RpcEnvelope, payload: Uint8Array): Uint8Array {
  return encodeResponse(request, payload, undefined);
}

/** Bytes of the answer that carries an error. */
export function encodeFailure(request: RpcEnvelope, error: ActrError): Uint8Array {
  return encodeResponse(request, undefined, toWireError(error));
}

function encodeResponse(
  { routeKey, requestId, traceparent, tracestate }: RpcEnvelope,
  payload: Uint8Array | undefined,
  error: WireError | undefined,
): Uint8Array {
  return encodeEnvelope({
    routeKey,
    payload,
    error,
    direction: directions.response,
    traceparent,
    tracestate,
    requestId,
    metadata: noMetadata,
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

  /** Sends an answer's bytes. Tells, and what is answered already, get none. */
  reply(message: InboundMessage, answer: Uint8Array): void {
    if (!isAnswerable(message)) return;
    const link = this.#sessions.session(message.from.key)?.replyLink(message.link);
    if (link === undefined) return this.#undelivered(message, "no link to the caller");
    link
      .send({ lane: lanes.rpcReliable, body: answer })
      .catch((error: unknown) => this.#undelivered(message, String(error)));
  }

  /** Answers with an error. */
  fail(message: InboundMessage, error: ActrError): void {
    if (!isAnswerable(message)) return;
    this.reply(message, encodeFailure(message.envelope, error));
  }

  #undelivered(message: InboundMessage, reason: string): void {
    this.#undeliverable += 1;
    this.#log.warn("rpc.reply_undeliverable", {
      requestId: message.envelope.requestId,
      caller: message.from.key,
      reason,
    });
  }
}
