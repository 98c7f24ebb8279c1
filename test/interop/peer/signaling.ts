import { randomUUID } from "node:crypto";
import {
  type ActrId,
  idText,
  readId,
  typeOf,
  writeCredential,
  writeId,
  writeType,
} from "./identity.ts";
import { Inbox } from "./inbox.ts";
import { Fields, Writer } from "./protobuf.ts";
import type { Registered } from "./registration.ts";
import { type Relayed, readRelay, type Signal, writeRelay } from "./signals.ts";
import { opcodes, type WebSocketEnd } from "./websocket.ts";
import { dial } from "./websocket_handshake.ts";

/** Flows of an envelope, and payloads of a request and its answer (`spec/protocol.md` §2.6). */
const flows = { toServer: 11, toActr: 12, relay: 13, error: 14 } as const;
const requests = { unregister: 3, ping: 4, candidates: 11, signingKey: 13 } as const;
const answers = { pong: 4, candidates: 11, signingKey: 13, error: 30 } as const;

const envelopeVersion = 2;
const unavailable = 3;

/** Beside the heartbeat, milliseconds. */
const socketPingMs = 5_000;
const firstPingMs = 50;

/** Numbers the requests of this process, over all connections. */
let requestsMade = 0;

/** An answer of the server that is for one node. */
interface Answer {
  readonly replyFor: string | undefined;
  readonly payload: Fields;
}

/** A node at a direct WebSocket address, or without one. */
export interface Found {
  readonly id: ActrId;
  readonly wsAddress: string | undefined;
}

/** The signaling connection of a node, with the habits of the real client. */
export class Signaling {
  readonly relays = new Inbox<Relayed>();
  readonly answers = new Inbox<Answer>();
  onRelay: (relayed: Relayed) => void = (relayed) => this.relays.push(relayed);
  readonly socket: WebSocketEnd;
  readonly #registered: Registered;
  readonly #timers: NodeJS.Timeout[];

  private constructor(socket: WebSocketEnd, registered: Registered) {
    this.socket = socket;
    this.#registered = registered;
    socket.onMessage = (message) => this.#take(new Fields(message));
    this.#timers = [
      setTimeout(() => this.#ping(), firstPingMs),
      setInterval(() => this.#ping(), registered.heartbeatSecs * 1_000),
      setInterval(() => socket.frame(opcodes.ping), socketPingMs),
    ];
    void socket.closed.then(() => this.#stop());
  }

  /** @param answersOnly says that this node must not offer. @throws UpgradeRefused. */
  static async connect(
    url: string,
    registered: Registered,
    answersOnly = false,
  ): Promise<Signaling> {
    return new Signaling(await dial(signalingUrl(url, registered, answersOnly)), registered);
  }

  /** Sends a signal to a peer, or to the server about it. */
  relay(target: ActrId, signal: Signal): void {
    const { id, credential } = this.#registered;
    const relay = writeRelay(id, credential, target, signal);
    this.#send(randomUUID(), flows.relay, relay);
  }

  /** Nodes of a type, as the real client asks: one, without fingerprint. */
  async discover(type: string): Promise<Found[]> {
    const criteria = new Writer().varint(1, 1);
    const request = new Writer()
      .message(1, writeType(typeOf(type)))
      .message(2, criteria)
      .text(4, "");
    const answer = await this.#ask(requests.candidates, request);
    const ok = answer.message(answers.candidates)?.message(1);
    if (ok === undefined) throw new Error(`discovery of ${type} failed`);
    const addresses = new Map(ok.all(2).map(addressEntry));
    return ok.all(1).map((bytes) => {
      const id = readId(new Fields(bytes));
      return { id, wsAddress: addresses.get(idText(id)) };
    });
  }

  async signingKey(keyId: number): Promise<Uint8Array | undefined> {
    const answer = await this.#ask(requests.signingKey, new Writer().varint(1, keyId));
    return answer.message(answers.signingKey)?.bytes(2);
  }

  /** Leaves as the real client does: says so once, without waiting, and never closes the socket in order. */
  leave(): void {
    const { id } = this.#registered;
    const request = new Writer().message(1, writeId(id)).text(2, "Graceful shutdown");
    this.#request(requests.unregister, request);
    this.#stop();
    setTimeout(() => this.socket.destroy(), 50);
  }

  #stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** An idle machine of little power: servers must not leave such a node out. */
  #ping(): void {
    this.#request(requests.ping, new Writer().varint(1, unavailable).float(2, 0.2371).float(3, 0));
  }

  async #ask(field: number, request: Writer): Promise<Fields> {
    const id = this.#request(field, request);
    const { payload } = await this.answers.take("an answer of signaling", (a) => a.replyFor === id);
    const error = payload.message(answers.error);
    if (error !== undefined) throw new Error(`${error.number(1)} ${error.text(2)}`);
    return payload;
  }

  #request(field: number, request: Writer): string {
    const { id, credential } = this.#registered;
    const envelopeId = `env-${++requestsMade}`;
    const toServer = new Writer().message(1, writeId(id)).message(2, writeCredential(credential));
    this.#send(envelopeId, flows.toServer, toServer.message(field, request));
    return envelopeId;
  }

  #send(id: string, flow: number, payload: Writer): void {
    const envelope = new Writer().varint(1, envelopeVersion).text(2, id).message(flow, payload);
    this.socket.send(envelope.done());
  }

  #take(envelope: Fields): void {
    const relay = envelope.message(flows.relay);
    const relayed = relay === undefined ? undefined : readRelay(relay);
    if (relayed !== undefined) this.onRelay(relayed);
    const payload = envelope.message(flows.toActr);
    if (payload !== undefined) this.answers.push({ replyFor: envelope.text(3), payload });
  }
}

/** Where to connect: the four parameters in the order of the real client. */
export function signalingUrl(
  base: string,
  { id, credential }: Pick<Registered, "id" | "credential">,
  answersOnly: boolean,
): string {
  const url = new URL(base);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  url.searchParams.append("actor_id", idText(id));
  url.searchParams.append("key_id", `${credential.keyId}`);
  url.searchParams.append("claims", base64(credential.claims));
  url.searchParams.append("signature", base64(credential.signature));
  if (answersOnly) url.searchParams.append("webrtc_role", "answer");
  return url.href;
}

function addressEntry(bytes: Uint8Array): [string, string | undefined] {
  const entry = new Fields(bytes);
  const id = entry.message(1);
  return [id === undefined ? "" : idText(readId(id)), entry.text(2)];
}
