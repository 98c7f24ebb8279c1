import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Socket, SocketClosed, SocketHandler } from "../ports/sockets.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import { rulesOf } from "../protocol/acl_message.ts";
import { toActrIdMessage } from "../protocol/id_messages.ts";
import { type ActrId, formatActrType, peerKey } from "../protocol/ids.ts";
import type { ActrId as WireId } from "../protocol/schema.ts";
import { TokenBucket } from "../token_bucket.ts";
import type { CredentialCheck } from "./credential_check.ts";
import type { LoadReport, Profile } from "./directory.ts";
import { encodeMessage, type Flow, type MessageHead, type Payload } from "./messages.ts";
import type { ResolvedRendezvousOptions } from "./options.ts";
import type { Position } from "./ranking.ts";
import type { Reachable } from "./reachable.ts";
import type { Refusal } from "./realms.ts";

/** Who connected, as the upgrade proved it. */
export interface Arrival {
  readonly id: ActrId;
  readonly profile: Profile;
  /** Whether it asked for `webrtc_role=answer`. */
  readonly answersOnly: boolean;
  readonly credentials: CredentialCheck;
}

/** What a connection stands on. */
export interface SocketComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly options: ResolvedRendezvousOptions;
}

/** What a connection hands its messages to. */
export interface SignalingReceiver {
  /** Handles one message; a promise (never rejected) when a credential has to be checked first. */
  receive(from: SignalingSocket, data: Uint8Array): undefined | Promise<void>;
  /** The connection is being ended from this side; it may take a while until it is gone. */
  ends(socket: SignalingSocket): void;
  /** The connection is gone. */
  left(socket: SignalingSocket, end: SocketClosed): void;
}

/** One node's signaling connection. Handles its messages one after the other, in order of arrival. */
export class SignalingSocket implements Reachable, SocketHandler {
  readonly id: ActrId;
  /** Its id as messages carry it, made once. */
  readonly wireId: WireId;
  readonly key: string;
  readonly type: string;
  readonly profile: Profile;
  readonly rules: readonly ResolvedRule[] | undefined;
  readonly answersOnly: boolean;
  readonly credentials: CredentialCheck;
  /** What may pass before answers of 429. */
  readonly bucket: TokenBucket;
  /** How often it may be answered 429 before it has to go. */
  readonly refusals: TokenBucket;
  load: LoadReport | undefined;
  position: Position | undefined;
  heardAt: number;
  readonly #components: SocketComponents;
  readonly #receiver: SignalingReceiver;
  readonly #socket: Socket;
  /** Messages that arrived while a credential is being checked; undefined while none is. */
  #waiting: Uint8Array[] | undefined;
  #pinged = false;
  #closing = false;

  constructor(
    socket: Socket,
    arrival: Arrival,
    components: SocketComponents,
    receiver: SignalingReceiver,
  ) {
    this.id = arrival.id;
    this.wireId = toActrIdMessage(arrival.id);
    this.key = peerKey(arrival.id);
    this.type = formatActrType(arrival.id.type);
    this.profile = arrival.profile;
    this.rules = arrival.profile.acl && rulesOf(arrival.profile.acl);
    this.answersOnly = arrival.answersOnly;
    this.credentials = arrival.credentials;
    this.heardAt = components.clock.monotonic();
    const { messageBurst, messagesPerSecond } = components.options.limits;
    this.bucket = new TokenBucket(messageBurst, messagesPerSecond, this.heardAt);
    this.refusals = new TokenBucket(messageBurst, messagesPerSecond, this.heardAt);
    this.#components = components;
    this.#receiver = receiver;
    this.#socket = socket;
  }

  message(data: Uint8Array): void {
    if (this.#closing) return;
    this.heardAt = this.#components.clock.monotonic();
    if (this.#waiting === undefined) this.#handle(data);
    else if (this.#waiting.push(data) > this.#components.options.limits.maxPendingMessages) {
      this.close(1008, "too many messages before a credential was checked");
    }
  }

  pong(): void {
    this.heardAt = this.#components.clock.monotonic();
  }

  closed(end: SocketClosed): void {
    this.#waiting = undefined;
    this.#receiver.left(this, end);
  }

  /** Sends a payload to this node, as the answer to `replyFor` when given. */
  tell(payload: Payload, replyFor?: string): void {
    const flow = { case: "serverToActr", value: { target: this.wireId, payload } } as const;
    this.send(flow, { replyFor });
  }

  /** Answers a request with an error. */
  refuse({ code, message }: Refusal, replyFor: string): undefined {
    this.tell({ case: "error", value: { code, message } }, replyFor);
  }

  /** Sends one envelope; false, and the end of the connection, when the node does not read what it is sent. */
  send(flow: Flow, head: MessageHead = {}): boolean {
    return this.pass(encodeMessage(flow, this.#components.random.uuid(), head));
  }

  /** As {@link SignalingSocket.send} with an encoded envelope. */
  pass(envelope: Uint8Array): boolean {
    if (this.#socket.bufferedAmount > this.#components.options.limits.maxBufferedBytes) {
      this.#components.log.warn("rendezvous.signaling.slow_reader", { peer: this.key });
      this.#drop();
      return false;
    }
    this.#socket.send(envelope);
    return true;
  }

  /** Pings; drops the connection when earlier pings stayed without a sign of life since `deadline`. */
  probe(deadline: number): void {
    if (this.#pinged && this.heardAt <= deadline) this.#drop();
    else this.#pinged = this.#socket.ping();
  }

  /** Ends the connection; from now on others do not find it, and what still arrives is ignored. */
  close(code: number, reason: string): void {
    this.#ends();
    this.#socket.close(code, reason);
  }

  displaced(): void {
    this.close(1008, "displaced by new connection");
  }

  #drop(): void {
    this.#ends();
    this.#socket.terminate();
  }

  #ends(): void {
    this.#closing = true;
    this.#receiver.ends(this);
  }

  #handle(data: Uint8Array): void {
    const checking = this.#receiver.receive(this, data);
    if (checking === undefined) return;
    this.#waiting = [];
    void checking.then(() => this.#catchUp());
  }

  /** Handles what waited; when one has to wait again, those after it queue up behind it. */
  #catchUp(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const data of waiting) this.message(data);
  }
}
