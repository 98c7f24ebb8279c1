import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import type { Socket, SocketClosed, SocketHandler } from "../../../src/ports/sockets.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { type ActrId, formatActrId, parseActrType } from "../../../src/protocol/ids.ts";
import type {
  ActrRelaySchema,
  ActrToSignalingSchema,
  AIdCredential,
  MessageInit,
  SignalingEnvelope,
  SignalingToActr,
} from "../../../src/protocol/schema.ts";
import {
  decodeSignaling,
  encodeSignaling,
  type SignalingInit,
} from "../../../src/protocol/signaling.ts";
import type { Ais } from "../../../src/rendezvous/ais/ais.ts";
import { CredentialCheck } from "../../../src/rendezvous/ais/credential_check.ts";
import { openAis } from "../../../src/rendezvous/ais/open_ais.ts";
import type { Profile } from "../../../src/rendezvous/discovery/directory.ts";
import { type Hub, openHub } from "../../../src/rendezvous/hub.ts";
import {
  type RendezvousOptions,
  resolveRendezvousOptions,
} from "../../../src/rendezvous/options.ts";
import { SignalingServer } from "../../../src/rendezvous/signaling_server.ts";
import { silent } from "./silent_logger.ts";

type Request = NonNullable<MessageInit<typeof ActrToSignalingSchema>["payload"]>;
type Relayed = NonNullable<MessageInit<typeof ActrRelaySchema>["payload"]>;

/** The server's end of a connection, in the hands of a test. */
export class FakeSocket implements Socket {
  bufferedAmount = 0;
  readonly protocol = "";
  pings = 0;
  canPing = true;
  answersPings = true;
  terminated = false;
  closedWith: SocketClosed | undefined;
  readonly sent: SignalingEnvelope[] = [];
  handler: SocketHandler | undefined;

  send(data: Uint8Array): void {
    this.sent.push(decodeSignaling(data));
  }
  sendText(): void {}
  ping(): boolean {
    this.pings++;
    if (this.canPing && this.answersPings) this.handler?.pong?.();
    return this.canPing;
  }
  pause(): boolean {
    return false;
  }
  resume(): void {}
  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
  }
  terminate(): void {
    this.terminated = true;
    this.handler?.closed({ code: 1006, reason: "" });
  }
  handle(handler: SocketHandler): void {
    this.handler = handler;
  }
}

/** How a node joins. */
export interface Joining extends Profile {
  readonly type?: string;
  readonly realm?: number;
  readonly answersOnly?: boolean;
  readonly lifeSeconds?: number;
}

/** A signaling server without a network, and its identity service. */
export class Bench {
  readonly clock: FakeClock;
  readonly server: SignalingServer;
  readonly ais: Ais;
  readonly hub: Hub;

  private constructor(ais: Ais, clock: FakeClock) {
    this.ais = ais;
    this.clock = clock;
    this.hub = openHub(ais);
    this.server = new SignalingServer(this.hub);
  }

  static async open(options: RendezvousOptions = {}): Promise<Bench> {
    const clock = new FakeClock();
    const components = {
      store: new MemoryStore(),
      clock,
      random: new SeededRandom(),
      log: silent,
    };
    return new Bench(await openAis(components, resolveRendezvousOptions(options)), clock);
  }

  async credential(id: ActrId, lifeSeconds = 3600): Promise<AIdCredential> {
    const expiresAt = Math.floor(this.clock.now() / 1000) + lifeSeconds;
    const claims = { realm: id.realm, actorId: formatActrId(id), expiresAt };
    return (await this.ais.keys.sign(claims)) as AIdCredential;
  }

  async join(serial: number, joining: Joining = {}): Promise<Joined> {
    const { type = "acme:echo:1.0.0", realm = 1, answersOnly = false, lifeSeconds } = joining;
    const id: ActrId = { realm, serial: BigInt(serial), type: parseActrType(type) };
    const credential = await this.credential(id, lifeSeconds);
    const credentials = new CredentialCheck(this.ais.keys, this.clock, id);
    await credentials.check(credential);
    const socket = new FakeSocket();
    const { acl, spec, wsAddress } = joining;
    const profile = { ...(acl && { acl }), ...(spec && { spec }), ...(wsAddress && { wsAddress }) };
    this.server.arrived(socket, { id, profile, answersOnly, credentials }, "10.0.0.1");
    return new Joined(id, credential, socket);
  }
}

/** A node that is connected. */
export class Joined {
  readonly id: ActrId;
  readonly credential: AIdCredential;
  readonly socket: FakeSocket;
  #asked = 0;

  constructor(id: ActrId, credential: AIdCredential, socket: FakeSocket) {
    this.id = id;
    this.credential = credential;
    this.socket = socket;
  }

  ping(envelopeId: string, credential = this.credential): void {
    const payload = {
      case: "ping",
      value: { availability: 0, powerReserve: 5, mailboxBacklog: 0 },
    } as const;
    this.request(payload, { envelopeId, credential });
  }

  /** Sends a request; returns its envelope id. */
  request(
    payload: Request,
    { source = this.id, credential = this.credential, envelopeId = `env-${++this.#asked}` } = {},
  ): string {
    const value = { source: toActrIdMessage(source), credential, payload };
    this.deliver({ envelopeId, flow: { case: "actrToServer", value } });
    return envelopeId;
  }

  relay(
    to: ActrId,
    envelopeId: string,
    payload: Relayed = iceRestart,
    { source = this.id, credential = this.credential } = {},
  ): void {
    const value = {
      source: toActrIdMessage(source),
      target: toActrIdMessage(to),
      credential,
      payload,
    };
    this.deliver({ envelopeId, flow: { case: "actrRelay", value } });
  }

  /** Asks the server for roles towards `to`. */
  negotiate(to: ActrId, envelopeId: string, from = this.id): void {
    const value = {
      from: toActrIdMessage(from),
      to: toActrIdMessage(to),
      realmId: from.realm,
    };
    this.relay(to, envelopeId, { case: "roleNegotiation", value });
  }

  deliver(envelope: SignalingInit): void {
    this.socket.handler?.message(encodeSignaling(envelope));
  }

  /** What it was sent, in order: the envelope id that is answered, if any, and what it got. */
  get answers(): string[] {
    return this.socket.sent.map(({ replyFor, flow }) => {
      if (flow.case !== "serverToActr") return `${replyFor} ${flow.case}`.trim();
      const { payload } = flow.value;
      const code = payload.case === "error" ? ` ${payload.value.code}` : "";
      return `${replyFor} ${payload.case}${code}`.trim();
    });
  }

  /** Texts of the nodes that it was told are up. */
  get ups(): string[] {
    return this.socket.sent.flatMap(({ flow }) => {
      if (flow.case !== "serverToActr" || flow.value.payload.case !== "actrUpEvent") return [];
      return [formatActrId(fromActrIdMessage(flow.value.payload.value.actorId))];
    });
  }

  /** What a request that is answered at once got. */
  ask(payload: Request): SignalingToActr["payload"] {
    const envelopeId = this.request(payload);
    const answers = this.socket.sent.filter(({ replyFor }) => replyFor === envelopeId);
    const flow = answers[0]?.flow;
    if (answers.length !== 1 || flow?.case !== "serverToActr") {
      throw new Error(`${payload.case} got ${answers.length} answers, ${flow?.case}`);
    }
    return flow.value.payload;
  }
}

const iceRestart = { case: "iceRestartRequest", value: { reason: "test" } } as const;
