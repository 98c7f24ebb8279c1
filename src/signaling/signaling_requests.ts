import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { TraceContext } from "../ports/tracer.ts";
import { toActrIdMessage } from "../protocol/id_messages.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { ActrToSignalingSchema, MessageInit } from "../protocol/schema.ts";
import { encodeSignaling } from "../protocol/signaling.ts";
import type { CredentialWatch } from "./credential_watch.ts";
import { Outbox } from "./outbox.ts";
import { PendingReplies } from "./pending_replies.ts";
import { type Reply, type ReplyCase, type ReplyOf, readReply } from "./reply.ts";
import type { RelayInit } from "./signaling_listeners.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Bounds of one request. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Limit of the answer, milliseconds, in place of the client's. */
  readonly limitMs?: number;
  readonly trace?: TraceContext;
}

/** What a node asks the server. */
export type RequestInit = NonNullable<MessageInit<typeof ActrToSignalingSchema>["payload"]>;

/** Bounds of all requests. */
export interface RequestBounds {
  /** Limit of one answer, milliseconds. */
  readonly replyLimitMs: number;
  /** Requests that may wait at once. */
  readonly maxPending: number;
  /** Bytes that may wait to be sent. */
  readonly maxBufferedBytes: number;
}

interface Components {
  readonly clock: Clock;
  readonly random: Random;
  readonly session: SessionState;
  readonly credentials: CredentialWatch;
  /** The open socket, if there is one. */
  readonly socket: () => SignalingSocket | undefined;
}

/** Sends requests and relays under the identity of the moment, and brings answers back to who asked. */
export class SignalingRequests {
  readonly #components: Components;
  readonly #bounds: RequestBounds;
  readonly #pending: PendingReplies<Reply>;
  readonly #outbox: Outbox;
  #sent = 0;
  #closed: ActrError | undefined;

  constructor(components: Components, bounds: RequestBounds) {
    this.#components = components;
    this.#bounds = bounds;
    this.#pending = new PendingReplies(components.clock, bounds.maxPending);
    this.#outbox = new Outbox(components.clock);
  }

  /** The answer, which must be of kind `expected`. A refused credential is also told to who can renew it. */
  async request<Case extends ReplyCase>(
    expected: Case,
    payload: RequestInit,
    { signal, limitMs = this.#bounds.replyLimitMs, trace = {} }: RequestOptions,
  ): Promise<ReplyOf<Case>> {
    const { session, credentials } = this.#components;
    const what = String(payload.case);
    const socket = this.#openSocket(what);
    const identity = session.current;
    const { id, credential } = identity;
    const envelopeId = `env-${++this.#sent}`;
    const value = { source: toActrIdMessage(id), credential, payload };
    const flow = { case: "actrToServer", value } as const;
    const bytes = encodeSignaling({ envelopeId, ...trace, flow });
    const waiting = this.#pending.wait(envelopeId, { what, limitMs, signal });
    this.#outbox.send(socket, bytes, () => this.#pending.has(envelopeId));
    const reply = await waiting;
    if (reply.case === "error" && reply.value.code === 401) credentials.refused(identity);
    return readReply(what, reply, expected);
  }

  /** Sends a message for another node; returns its envelope id. */
  relay(target: ActrId, payload: RelayInit, trace: TraceContext): string {
    const { session, random } = this.#components;
    const { id, credential } = session.current;
    const [source, to] = [toActrIdMessage(id), toActrIdMessage(target)];
    const flow = { case: "actrRelay", value: { source, credential, target: to, payload } } as const;
    const socket = this.#openSocket(String(payload.case));
    const envelopeId = random.uuid();
    // Offers, answers and what they follow from begin something: those who send them see to it that they arrive.
    const again = payload.case === "iceCandidate" ? () => true : undefined;
    this.#outbox.send(socket, encodeSignaling({ envelopeId, ...trace, flow }), again);
    return envelopeId;
  }

  /** Hands an answer to the request that waits for it; false when none does. */
  settle(replyFor: string, reply: Reply): boolean {
    return this.#pending.settle(replyFor, reply);
  }

  /** The server dropped a message because there were too many. @param reason its words. */
  dropped(reason: string): void {
    this.#outbox.dropped(reason);
  }

  /** The connection is gone, and with it every answer. */
  lost(reason: string): void {
    this.#outbox.clear();
    this.#pending.failAll(new ActrError("unavailable", `signaling was lost: ${reason}`));
  }

  /** Fails what waits and what will be asked with `reason`. */
  close(reason: ActrError): void {
    this.#closed = reason;
    this.#outbox.clear();
    this.#pending.failAll(reason);
  }

  #openSocket(what: string): SignalingSocket {
    if (this.#closed !== undefined) throw this.#closed;
    const socket = this.#components.socket();
    if (socket === undefined) {
      throw new ActrError("unavailable", `${what} is not sent: signaling is not connected`);
    }
    const { maxBufferedBytes, replyLimitMs } = this.#bounds;
    if (socket.bufferedAmount > maxBufferedBytes || this.#outbox.delayMs > replyLimitMs) {
      throw new ActrError("overloaded", `${what} is not sent: signaling takes nothing at present`, {
        retryAfterMs: 1_000,
      });
    }
    return socket;
  }
}
