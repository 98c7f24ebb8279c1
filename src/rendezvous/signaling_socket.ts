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
import type { CredentialCheck } from "./ais/credential_check.ts";
import type { Refusal } from "./ais/realms.ts";
import type { Position } from "./discovery/candidate.ts";
import type { LoadReport, Profile } from "./discovery/directory.ts";
import { encodeMessage, type Flow, type MessageHead, type Payload } from "./messages.ts";
import type { ResolvedRendezvousOptions } from "./options.ts";
import type { Reachable } from "./reachable.ts";

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

/** After so many messages of one connection the others have their turn: who sends many at once holds up nobody else. */
const messagesPerTurn = 16;

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
  /** Messages that arrived while a credential is being checked, or others have their turn; undefined when neither. */
  #waiting: Uint8Array[] | undefined;
  #handledInTurn = 0;
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

  /** Bytes that wait until the node reads them. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  message(data: Uint8Array): void {
    if (this.#closing) return;
    this.heardAt = this.#components.clock.monotonic();
    if (this.#waiting === undefined) this.#handle(data);
    else this.#wait(this.#waiting, data);
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
    if (this.#closing) return false;
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
    this.#handledInTurn += 1;
    const isTurnOver = this.#handledInTurn === messagesPerTurn;
    if (checking === undefined && !isTurnOver) return;
    this.#waiting = [];
    this.#handledInTurn = 0;
    if (checking === undefined) this.#components.clock.defer(() => this.#catchUp());
    else void checking.then(() => this.#catchUp());
  }

  /** Keeps a message for later, and reads no more of them until then, where the runtime can stop. */
  #wait(waiting: Uint8Array[], data: Uint8Array): void {
    if (waiting.push(data) === 1) this.#socket.pause();
    if (waiting.length <= this.#components.options.limits.maxPendingMessages) return;
    this.close(1008, "too many messages at once");
  }

  /** Handles what waited; when one has to wait again, those after it queue up behind it. */
  #catchUp(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const data of waiting) this.message(data);
    if (this.#waiting === undefined) this.#socket.resume();
  }
}
