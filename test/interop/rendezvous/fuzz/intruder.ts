import type { ActrId } from "../../peer/identity.ts";
import type { Fields } from "../../peer/protobuf.ts";
import type { Registered } from "../../peer/registration.ts";
import { signalingUrl } from "../../peer/signaling.ts";
import type { WebSocketEnd } from "../../peer/websocket.ts";
import { dial } from "../../peer/websocket_handshake.ts";
import { idlePing } from "../connection.ts";
import { flows, Received, requests, writeEnvelope, writeRequest } from "../envelope.ts";
import { realMessages } from "./corpus.ts";
import { below, type Chance, mutate, oneOf } from "./mutate.ts";

/** What became of the messages of an intruder. */
export interface Outcome {
  sent: number;
  /** Of these, those that the server has looked at for sure: their connection went on. */
  handled: number;
  answers: number;
  /** Of the answers, those that are errors. */
  errors: number;
  /** Connections that ended, by close code; 1006 are those that it dropped itself. */
  readonly ends: Record<number, number>;
  /** What came that was not for it, in hex. */
  readonly stolen: string[];
}

/** Whom an intruder speaks to and of. */
export interface Targets {
  readonly signaling: string;
  /** A type that has nodes. */
  readonly type: string;
  readonly ids: readonly ActrId[];
  /** What is only for those nodes, in every message between them. */
  readonly secret: string;
}

/** Messages under way at most: what comes behind one that ends the connection is lost. */
const window = 4;
const endOfWindow = "end-of-window";

/** A registered node that sends mutated messages, one connection after the other, as fast as the server handles them. */
export class Intruder {
  readonly outcome: Outcome = { sent: 0, handled: 0, answers: 0, errors: 0, ends: {}, stolen: [] };
  readonly #registered: Registered;
  readonly #targets: Targets;
  readonly #chance: Chance;
  readonly #messages: readonly Uint8Array[];
  readonly #marker: Uint8Array;

  constructor(registered: Registered, targets: Targets, chance: Chance) {
    this.#registered = registered;
    this.#targets = targets;
    this.#chance = chance;
    this.#messages = realMessages(registered, targets.type, [...targets.ids, registered.id]);
    const ping = writeRequest(registered, requests.ping, idlePing());
    this.#marker = writeEnvelope(endOfWindow, flows.toServer, ping).done();
  }

  /** Sends so many messages. */
  async send(count: number): Promise<Outcome> {
    while (this.outcome.sent < count) {
      const answersOnly = this.#chance.next() < 0.5;
      const url = signalingUrl(this.#targets.signaling, this.#registered, answersOnly);
      await this.#visit(await dial(url), count);
    }
    return this.outcome;
  }

  /** Sends until all is sent, the server ends the connection, or answers a good message with an error. */
  async #visit(socket: WebSocketEnd, count: number): Promise<void> {
    let told: (goesOn: boolean) => void = () => {};
    socket.onMessage = (message) => {
      const received = new Received(message);
      this.#look(received);
      if (received.replyFor === endOfWindow) told(received.error === undefined);
    };
    const ended = socket.closed.then(({ code = 1005 }) => {
      this.outcome.ends[code] = (this.outcome.ends[code] ?? 0) + 1;
      return false;
    });
    for (let goesOn = true; goesOn && this.outcome.sent < count; ) {
      const handled = new Promise<boolean>((resolve) => {
        told = resolve;
      });
      const size = this.#sendSome(socket, count - this.outcome.sent);
      goesOn = await Promise.race([handled, ended]);
      if (goesOn) this.outcome.handled += size;
    }
    socket.destroy();
    await ended;
  }

  #sendSome(socket: WebSocketEnd, most: number): number {
    const size = Math.min(1 + below(this.#chance, window), most);
    for (let left = size; left > 0; left -= 1) {
      socket.send(mutate(this.#chance, oneOf(this.#chance, this.#messages), this.#messages));
    }
    socket.send(this.#marker);
    this.outcome.sent += size;
    return size;
  }

  #look(received: Received): void {
    this.outcome.answers += 1;
    if (received.error !== undefined) this.outcome.errors += 1;
    const hasSecret = Buffer.from(received.bytes).includes(this.#targets.secret);
    if (hasSecret || !isFor(this.#registered.id, received)) {
      this.outcome.stolen.push(Buffer.from(received.bytes).toString("hex"));
    }
  }
}

/** Whether a node may get this: what names it, the answer to a registration, which names nobody, or an error of no node's. */
export function isFor(id: ActrId, { told, relay, numbers }: Received): boolean {
  if (numbers.includes(flows.error)) return true;
  if (relay !== undefined) return [3, 1].some((field) => isNode(id, relay.message(field)));
  return isNode(id, told.message(1)) || isNode({ realm: 0, serial: 0n }, told.message(1));
}

/** Whether an id is that of a node, as far as relays tell ids apart: its type may be anything, even no text. */
export function isNode(id: Pick<ActrId, "realm" | "serial">, wire: Fields | undefined): boolean {
  return wire?.message(1)?.varint(1) === BigInt(id.realm) && wire.varint(2) === id.serial;
}
