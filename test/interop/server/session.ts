import { randomUUID } from "node:crypto";
import { type ActrId, type Credential, readCredential, writeId } from "../peer/identity.ts";
import { Inbox } from "../peer/inbox.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { readRelay, type Signal, writeSignal } from "../peer/signals.ts";
import type { WebSocketEnd } from "../peer/websocket.ts";
import {
  answers,
  flows,
  requests,
  writeEnvelope,
  writeError,
  writeTold,
} from "../rendezvous/envelope.ts";

/** One request of a node. */
export interface Request {
  readonly envelope: Fields;
  readonly envelopeId: string;
  readonly credential: Credential;
  /** Which request it is, of {@link requests}. */
  readonly kind: number;
  readonly body: Fields;
}

/** One relay of a node to another. */
export interface SentRelay {
  /** Fields of the ActrRelay. */
  readonly relay: Fields;
  /** What it says; undefined for a question of roles, which only servers read. */
  readonly signal: Signal | undefined;
}

/** The server's end of one signaling socket. */
export class Session {
  readonly socket: WebSocketEnd;
  /** Path and query of the upgrade. */
  readonly target: string;
  readonly query: URLSearchParams;
  readonly id: ActrId;
  /** Requests that nothing answered by itself. */
  readonly requests = new Inbox<Request>();
  /** Everything that was asked, answered or not. */
  readonly asked: Request[] = [];
  readonly relays = new Inbox<SentRelay>();
  readonly closed: WebSocketEnd["closed"];
  /** Whether pings and farewells are answered without the test. */
  answers = true;
  /** Messages that it takes at once, and then in a second; the others are lost (`spec/protocol.md` §7.7). */
  limit: { readonly burst: number; readonly perSecond: number } | undefined;
  /** How many were lost. */
  lost = 0;
  #tokens: number | undefined;
  #filledAt = performance.now();

  constructor(socket: WebSocketEnd, target: string, id: ActrId) {
    this.socket = socket;
    this.target = target;
    this.query = new URL(target, "http://host").searchParams;
    this.id = id;
    this.closed = socket.closed;
    socket.onMessage = (message) => {
      if (this.#admits()) return this.#take(new Fields(message));
      this.lost += 1;
      const words = `Too many messages. Limit: ${this.limit?.perSecond} messages/second`;
      this.send(flows.error, writeError(429, words));
    };
  }

  #admits(): boolean {
    if (this.limit === undefined) return true;
    const { burst, perSecond } = this.limit;
    const now = performance.now();
    const filled = (this.#tokens ?? burst) + ((now - this.#filledAt) * perSecond) / 1_000;
    this.#filledAt = now;
    this.#tokens = Math.min(burst, filled);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** The next request of a kind that the test is to answer. */
  request(kind: number): Promise<Request> {
    return this.requests.take(`request ${kind}`, (each) => each.kind === kind);
  }

  /** The next ping that a node sends, which is answered by itself. */
  async ping(from = 0): Promise<Request> {
    const limit = Date.now() + 15_000;
    for (;;) {
      const found = this.asked.slice(from).find(({ kind }) => kind === requests.ping);
      if (found !== undefined) return found;
      if (Date.now() > limit) throw new Error("no ping within 15 s");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Answers a request. */
  answer({ envelopeId }: Request, field: number, body: Writer): void {
    this.tell(field, body, envelopeId);
  }

  /** Answers a request with an error. */
  refuse(request: Request, code: number, message: string): void {
    this.answer(request, answers.error, writeError(code, message));
  }

  /** Tells the node something, as an answer or of its own accord. */
  tell(field: number, body: Writer, replyFor?: string): void {
    const told = writeTold(this.id, field, body);
    this.send(flows.toActr, told, replyFor);
  }

  /** Sends an envelope with one flow. */
  send(flow: number, payload: Writer, replyFor?: string): void {
    const reply = replyFor === undefined ? {} : { replyFor };
    this.socket.send(writeEnvelope(randomUUID(), flow, payload, reply).done());
  }

  /** Passes a signal on, from whom and with whatever credential. */
  pass(source: ActrId, target: ActrId, signal: Signal, credential?: Writer): void {
    const relay = new Writer().message(1, writeId(source));
    if (credential !== undefined) relay.message(2, credential);
    relay.message(3, writeId(target)).message(relayFields[signal.kind], writeSignal(signal));
    this.send(flows.relay, relay);
  }

  #take(envelope: Fields): void {
    const envelopeId = envelope.text(2) ?? "";
    const relay = envelope.message(flows.relay);
    if (relay !== undefined) {
      return this.relays.push({ relay, signal: readRelay(relay)?.signal });
    }
    const toServer = envelope.message(flows.toServer);
    const kind = toServer?.numbers.find((number) => number > 2);
    if (toServer === undefined || kind === undefined) return;
    const credential = readCredential(toServer.message(2) ?? new Fields(new Uint8Array(0)));
    const body = toServer.message(kind) ?? new Fields(new Uint8Array(0));
    const request = { envelope, envelopeId, credential, kind, body };
    this.asked.push(request);
    if (!this.answers || !this.#answered(request)) this.requests.push(request);
  }

  /** What the real server answers to a ping and a farewell. */
  #answered(request: Request): boolean {
    if (request.kind === requests.ping) {
      const seconds = Math.floor(Date.now() / 1_000);
      this.answer(request, answers.pong, new Writer().varint(1, seconds).varint(2, 30));
      return true;
    }
    if (request.kind !== requests.unregister) return false;
    this.answer(request, answers.unregistered, new Writer().message(1, new Writer()));
    return true;
  }
}

const relayFields = {
  candidate: 10,
  description: 11,
  negotiation: 12,
  assignment: 13,
  restart_request: 14,
} as const;
