import { ActrError, assertNever } from "../errors.ts";
import type { SessionOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Priority, Store } from "../ports/store.ts";
import type { Link } from "../ports/transport.ts";
import { callChain } from "../protocol/call_chain.ts";
import { isDurableSend } from "../protocol/durable.ts";
import {
  decodeEnvelope,
  directions,
  envelopeFrame,
  type RpcEnvelope,
} from "../protocol/envelope.ts";
import { type Frame, lanes } from "../protocol/frame.ts";
import type { Peer } from "../session/peer.ts";
import type { PendingCalls } from "../session/pending_calls.ts";
import type { StreamRegistry } from "../streams/stream_registry.ts";
import { troubles } from "../trouble.ts";
import { type AdmissionComponents, admit } from "./admission.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { Mailbox } from "./mailbox.ts";
import { type InboundMessage, messageFields } from "./message.ts";
import type { Replier } from "./replier.ts";
import type { RowMaker } from "./row_maker.ts";

/** Collaborators of {@link Gate}. */
export interface GateComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly rows: RowMaker;
  readonly pending: PendingCalls;
  readonly mailbox: Mailbox;
  readonly deadLetters: DeadLetters;
  readonly replier: Replier;
  readonly admission: AdmissionComponents;
  /** Deals with a request that handlers wait for, or that waits for none; false when it goes the way of all others. */
  readonly receiveApart: (message: InboundMessage, stops: boolean) => boolean;
  readonly streams: Pick<StreamRegistry, "receive" | "tally">;
}

/** What is decided once for a gate. */
export interface GateOptions {
  readonly durableCalls: boolean;
  /** The oldest peers that are understood. */
  readonly compat: SessionOptions["compat"];
}

/** When to send again to a node whose store cannot write, milliseconds. */
const faultRetryMs = 1_000;

/** Undecodable messages that are being written at once; further ones are only logged, so that a stranger cannot fill the disk at wire speed. */
const maxPoisonWrites = 16;

/** Where every frame enters: answers to their calls, requests and tells into the mailbox, everything else refused. */
export class Gate {
  readonly #components: GateComponents;
  readonly #durableCalls: boolean;
  readonly #compat: SessionOptions["compat"];
  #closed: ActrError | undefined;
  #poisonWrites = 0;
  #dropped = 0;

  constructor(components: GateComponents, options: GateOptions) {
    this.#components = components;
    this.#durableCalls = options.durableCalls;
    this.#compat = options.compat;
  }

  /** Frames that were neither answers, requests, tells nor chunks that this node could take. */
  get dropped(): number {
    return this.#dropped + this.#components.streams.tally.dropped;
  }

  /** Refuses further requests with `reason`; answers to our own calls still come in. */
  close(reason: ActrError): void {
    this.#closed = reason;
  }

  /** Refuses requests for a while; returns what lets them in again, unless it was closed meanwhile. @throws why it is closed, if it is. */
  pause(reason: ActrError): () => void {
    if (this.#closed !== undefined) throw this.#closed;
    this.#closed = reason;
    return () => {
      if (this.#closed === reason) this.#closed = undefined;
    };
  }

  /** Takes one frame of a verified peer. A returned promise holds the link back until its streams have caught up. */
  receive(frame: Frame, from: Peer, link: Link): void | Promise<void> {
    switch (frame.lane) {
      case lanes.rpcReliable:
      case lanes.rpcSignal:
        return this.#rpc(frame, from, link);
      case lanes.streamReliable:
      case lanes.streamLatencyFirst:
        return this.#components.streams.receive(frame, from, link);
      case lanes.media:
        return this.#drop("media.unknown_dropped", from, { bytes: frame.body.length });
      default:
        return assertNever(frame.lane);
    }
  }

  #rpc(frame: Frame, from: Peer, link: Link): void {
    let envelope: RpcEnvelope;
    try {
      envelope = decodeEnvelope(frame.body);
    } catch (error) {
      return this.#poison(frame.body, from, ActrError.from(error, "decode_failure"));
    }
    switch (envelope.direction) {
      case directions.response:
        return this.#response(envelope, from);
      case directions.request:
      case directions.tell:
        return this.#admit(frame, envelope, from, link);
      case directions.unspecified:
        return this.#unlabelled(frame, envelope, from, link);
      default:
        return assertNever(envelope.direction);
    }
  }

  /**
   * Peers of 0.3 do not say what an envelope is: an error, and what answers a call of this node, is an answer, what has
   * no time is a tell, all else a request (`spec/transport.md` §16).
   */
  #unlabelled(frame: Frame, envelope: RpcEnvelope, from: Peer, link: Link): void {
    const { requestId, routeKey, timeoutMs, error } = envelope;
    if (this.#compat !== "0.3") {
      const fields = { request_id: requestId, route_key: routeKey };
      return this.#drop("rpc.invalid_direction_dropped", from, fields);
    }
    if (error !== undefined) return this.#response(envelope, from);
    if (this.#components.pending.settle(envelope, from.key)) return;
    const direction = timeoutMs === 0 ? directions.tell : directions.request;
    const labelled = { ...envelope, direction };
    // What goes to disk has to say it too, since it is read again after a crash.
    this.#admit(envelopeFrame(frame.lane, labelled), labelled, from, link);
  }

  #response(envelope: RpcEnvelope, from: Peer): void {
    const { requestId, routeKey, payload, error } = envelope;
    if (!this.#components.pending.settle(envelope, from.key)) {
      const fields = { request_id: requestId, ...troubles.orphanResponse };
      return this.#drop("rpc.orphan_response_dropped", from, fields);
    }
    // Its call has failed with it; here it is told whose fault that is.
    if ((payload === undefined) !== (error === undefined)) return;
    const fields = { peer: from.key, request_id: requestId, route_key: routeKey };
    const { log } = this.#components;
    log.warn("rpc.malformed_response", { ...fields, ...troubles.malformedResponse });
  }

  #admit(frame: Frame, envelope: RpcEnvelope, from: Peer, link: Link): void {
    const { clock, mailbox, replier, rows } = this.#components;
    const durableSend =
      envelope.direction === directions.request && isDurableSend(envelope.metadata);
    const nested =
      envelope.direction === directions.request &&
      !durableSend &&
      callChain(envelope.metadata).length > 0;
    // Somebody holds a key while a nested request is on its way.
    const priority: Priority = nested || frame.lane === lanes.rpcSignal ? 1 : 0;
    const message: InboundMessage = {
      envelope,
      from,
      link,
      priority,
      size: frame.body.length,
      arrivedAt: clock.monotonic(),
      row:
        durableSend || this.#isDurable(envelope)
          ? rows.row(frame.body, from.bytes, priority)
          : undefined,
      answered: durableSend,
      unwritten: undefined,
    };
    const apart = nested || (!durableSend && this.#isDirect(envelope));
    if (apart && this.#components.receiveApart(message, this.#closed !== undefined)) return;
    // A tell has nobody to be told; it waits on disk for the next start.
    if (this.#closed !== undefined && envelope.direction === directions.request) {
      return replier.refuse(message, this.#closed);
    }
    if (message.row !== undefined) return this.#admitDurable(message);
    try {
      mailbox.enqueue(message);
      this.#enqueued(message);
    } catch (error) {
      replier.fail(message, ActrError.from(error));
    }
  }

  #admitDurable(message: InboundMessage): void {
    const { mailbox, admission } = this.#components;
    try {
      // What would be refused later does not reach the disk, and a durable send hears of it in time.
      admit(message, admission);
      this.#requireStore();
      mailbox.enqueueDurable(message, this.#written);
      this.#enqueued(message);
    } catch (error) {
      this.#refuse(message, ActrError.from(error));
    }
  }

  readonly #written = (message: InboundMessage, error: unknown): void => {
    const { mailbox, replier, log } = this.#components;
    if (error === undefined) {
      if (message.answered) replier.accept(message);
      return;
    }
    const fields = { ...messageFields(message), ...troubles.mailboxFailed, error };
    log.warn("rpc.mailbox.enqueue_failed", fields);
    // What is being handled already ends as its own commit does; a durable send was promised this one.
    if (mailbox.withdraw(message) || message.answered) {
      replier.refuse(message, ActrError.from(error, "storage"));
    }
  };

  #isDirect({ direction, routeKey }: RpcEnvelope): boolean {
    if (direction !== directions.request) return false;
    return this.#components.admission.routes.get(routeKey)?.direct === true;
  }

  #isDurable(envelope: RpcEnvelope): boolean {
    if (envelope.direction === directions.tell || this.#durableCalls) return true;
    return this.#components.admission.routes.get(envelope.routeKey)?.durable === true;
  }

  /** Who sent a tell cannot be told, so at least the log is. */
  #refuse(message: InboundMessage, error: ActrError): void {
    if (message.envelope.direction === directions.request) {
      return this.#components.replier.refuse(message, error);
    }
    const kind = error.code === "permission_denied" ? troubles.aclDenied : undefined;
    const fields = { ...messageFields(message), error_code: error.code, ...kind };
    this.#drop("rpc.tell_refused", message.from, fields);
  }

  #enqueued(message: InboundMessage): void {
    const { log } = this.#components;
    if (!log.enabled("debug")) return;
    const { priority, size } = message;
    log.debug("rpc.mailbox.enqueue", { ...messageFields(message), priority, bytes: size });
  }

  /** While the store cannot write, nothing durable is accepted. @throws ActrError `unavailable` with a hint. */
  #requireStore(): void {
    if (this.#components.store.fault === undefined) return;
    const reason = "the node cannot write to its store; send again later";
    throw new ActrError("unavailable", reason, { retryAfterMs: faultRetryMs });
  }

  /** Bytes that are no envelope: kept, since nobody can be told. */
  #poison(rawBytes: Uint8Array, from: Peer, error: ActrError): void {
    const { deadLetters } = this.#components;
    if (this.#poisonWrites >= maxPoisonWrites) {
      return this.#drop("rpc.undecodable_dropped", from, { bytes: rawBytes.length });
    }
    this.#poisonWrites += 1;
    void deadLetters
      .insist({
        category: "protobuf_decode",
        reason: error.message,
        rawBytes,
        from: from.bytes,
        requestId: null,
        source: "gate",
      })
      .then(() => {
        this.#poisonWrites -= 1;
      });
  }

  #drop(event: string, from: Peer, attributes: Record<string, unknown>): void {
    this.#dropped += 1;
    this.#components.log.warn(event, { peer: from.key, ...attributes });
  }
}
