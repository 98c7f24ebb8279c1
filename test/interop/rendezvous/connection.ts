import { randomUUID } from "node:crypto";
import type { ActrId } from "../peer/identity.ts";
import { Inbox } from "../peer/inbox.ts";
import { Writer } from "../peer/protobuf.ts";
import { signalingUrl } from "../peer/signaling.ts";
import type { WebSocketEnd } from "../peer/websocket.ts";
import { dial } from "../peer/websocket_handshake.ts";
import {
  flows,
  Received,
  requests,
  type Sender,
  writeEnvelope,
  writeRelay,
  writeRequest,
} from "./envelope.ts";

/** Numbers the requests of this process, over all connections, as the real client does. */
let requestsMade = 0;

/** One signaling socket that says only what it is told to, and keeps what it hears. */
export class Connection implements AsyncDisposable {
  readonly inbox = new Inbox<Received>();
  readonly socket: WebSocketEnd;
  /** In whose name it speaks. */
  sender: Sender;

  private constructor(socket: WebSocketEnd, sender: Sender) {
    this.socket = socket;
    this.sender = sender;
    socket.onMessage = (message) => this.inbox.push(new Received(message));
  }

  /** @param answersOnly says that this node must not offer. @throws UpgradeRefused. */
  static async open(signaling: string, sender: Sender, answersOnly = false): Promise<Connection> {
    return await Connection.at(signalingUrl(signaling, sender, answersOnly), sender);
  }

  /** The same with the whole address given. @throws UpgradeRefused. */
  static async at(url: string, sender: Sender): Promise<Connection> {
    return new Connection(await dial(url), sender);
  }

  get id(): ActrId {
    return this.sender.id;
  }

  /** Sends an envelope with one flow; its id is `env-N` unless it is given. */
  send(flow: number, payload: Writer, id = `env-${++requestsMade}`): string {
    this.socket.send(writeEnvelope(id, flow, payload).done());
    return id;
  }

  /** Sends a request, and returns the id of its envelope. */
  ask(field: number, body: Writer = new Writer()): string {
    return this.send(flows.toServer, writeRequest(this.sender, field, body));
  }

  /** Sends a request and waits for its answer. */
  async request(field: number, body?: Writer): Promise<Received> {
    return await this.answer(this.ask(field, body));
  }

  answer(id: string): Promise<Received> {
    return this.inbox.take(`an answer to ${id}`, ({ replyFor }) => replyFor === id);
  }

  relay(target: ActrId, field: number, body: Writer): string {
    return this.send(flows.relay, writeRelay(this.sender, target, field, body), randomUUID());
  }

  /** What a peer or the server relays to this node next. */
  relayed(): Promise<Received> {
    return this.inbox.take("a relay", ({ relay }) => relay !== undefined);
  }

  /** Resolves when all that was sent before has been handled: messages of a connection are handled in their order. */
  async settle(): Promise<void> {
    await this.request(requests.ping, idlePing());
  }

  /** Ends without a close frame, as the real client's process does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.socket.closed;
  }
}

/** What the real client reports of an idle machine: unavailable, power 0.2371, no backlog. */
export function idlePing(): Writer {
  return new Writer().varint(1, 3).float(2, 0.2371).float(3, 0);
}
