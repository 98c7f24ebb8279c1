import assert from "node:assert/strict";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import type { Socket, SocketClosed } from "../../src/ports/sockets.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../src/protocol/id_messages.ts";
import { type ActrId, parseActrType } from "../../src/protocol/ids.ts";
import {
  type ActrRelaySchema,
  type ActrToSignalingSchema,
  decode,
  encode,
  type MessageInit,
  RegisterAuthMode,
  RegisterRequestSchema,
  type RegisterResponse,
  type RegisterResponse_RegisterOk,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
  type RenewCredentialResponse,
  RenewCredentialResponseSchema,
  type SignalingEnvelope,
} from "../../src/protocol/schema.ts";
import { decodeSignaling, encodeSignaling } from "../../src/protocol/signaling.ts";
import { signalingUrl } from "../../src/protocol/signaling_query.ts";

export type Registered = RegisterResponse_RegisterOk;
type Payload = NonNullable<MessageInit<typeof ActrToSignalingSchema>["payload"]>;
type RelayPayload = NonNullable<MessageInit<typeof ActrRelaySchema>["payload"]>;
type RegisterFields = MessageInit<typeof RegisterRequestSchema>;

const patience = 5_000;

async function post(
  url: string,
  body: Uint8Array<ArrayBuffer>,
  secret?: string,
): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/x-protobuf" };
  if (secret !== undefined) headers["x-actrix-realm-secret"] = secret;
  return await fetch(url, { method: "POST", headers, body });
}

export interface Entry extends Partial<Omit<RegisterFields, "$typeName">> {
  readonly realmId?: number;
  readonly secret?: string;
  readonly path?: string;
}

/** The answer to a registration as a linked node; always HTTP 200. */
export async function tryRegister(
  base: string,
  type: string,
  { realmId = 1001, secret, path = "/ais/register", ...fields }: Entry = {},
): Promise<RegisterResponse["result"]> {
  const body = encode(RegisterRequestSchema, {
    actrType: parseActrType(type, { checkNames: false }),
    realm: { realmId },
    authMode: RegisterAuthMode.LINKED,
    ...fields,
  });
  const response = await post(base + path, body, secret);
  assert.equal(response.status, 200);
  return decode(RegisterResponseSchema, new Uint8Array(await response.arrayBuffer())).result;
}

export async function register(base: string, type: string, entry?: Entry): Promise<Registered> {
  const result = await tryRegister(base, type, entry);
  assert.equal(result.case, "success", JSON.stringify(result.value, bigintText));
  return result.value as Registered;
}

export async function renew(
  base: string,
  id: ActrId,
  renewalToken: Uint8Array,
): Promise<{ status: number; result: RenewCredentialResponse["result"] }> {
  const body = encode(RenewCredentialRequestSchema, { actrId: toActrIdMessage(id), renewalToken });
  const response = await post(`${base}/ais/renew`, body);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, result: decode(RenewCredentialResponseSchema, bytes).result };
}

export function idOf(registered: Registered): ActrId {
  return fromActrIdMessage(registered.actrId);
}

/** A bare signaling client: sends what it is told and keeps what it gets. */
export class Client implements AsyncDisposable {
  readonly id: ActrId;
  readonly closed: Promise<SocketClosed>;
  registered: Registered;
  readonly #socket: Socket;
  readonly #inbox: SignalingEnvelope[] = [];
  #waiting: (() => void)[] = [];
  #count = 0;

  private constructor(registered: Registered, socket: Socket) {
    this.registered = registered;
    this.id = idOf(registered);
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.handle({
        message: (data) => {
          this.#inbox.push(decodeSignaling(data));
          for (const wake of this.#waiting.splice(0)) wake();
        },
        closed: resolve,
      });
    });
  }

  static async connect(
    base: string,
    registered: Registered,
    { path = "/signaling/ws", id = idOf(registered), role }: ConnectAs = {},
  ): Promise<Client> {
    const { credential } = registered;
    assert.ok(credential);
    const url = signalingUrl(`${base.replace("http", "ws")}${path}`, {
      id,
      credential,
      ...(role !== undefined && { webrtcRole: role }),
    });
    const socket = await nodeSockets().connect(url, {
      maxMessageBytes: 1 << 20,
      signal: AbortSignal.timeout(patience),
    });
    return new Client(registered, socket);
  }

  /** Registers and connects. */
  static async join(base: string, type: string, entry?: Entry, as?: ConnectAs): Promise<Client> {
    return await Client.connect(base, await register(base, type, entry), as);
  }

  raw(data: Uint8Array): void {
    this.#socket.send(data);
  }

  /** Sends a request; returns its envelope id. */
  ask(payload: Payload, source: ActrId = this.id): string {
    const envelopeId = `env-${++this.#count}`;
    const { credential } = this.registered;
    const value = { source: toActrIdMessage(source), credential, payload } as MessageInit<
      typeof ActrToSignalingSchema
    >;
    this.raw(encodeSignaling({ envelopeId, flow: { case: "actrToServer", value } }));
    return envelopeId;
  }

  /** Sends a request and returns the payload of its answer. */
  async request(payload: Payload, source?: ActrId): Promise<ServerPayload> {
    return await this.answer(this.ask(payload, source));
  }

  async answer(replyFor: string): Promise<ServerPayload> {
    const { flow } = await this.next((each) => each.replyFor === replyFor);
    assert.equal(flow.case, "serverToActr");
    return flow.value.payload;
  }

  relay(target: ActrId, payload: RelayPayload, source: ActrId = this.id): string {
    const envelopeId = crypto.randomUUID();
    const { credential } = this.registered;
    const value = {
      source: toActrIdMessage(source),
      target: toActrIdMessage(target),
      credential,
      payload,
    } as MessageInit<typeof ActrRelaySchema>;
    this.raw(
      encodeSignaling({
        envelopeId,
        traceparent: "00-11111111111111111111111111111111-2222222222222222-01",
        flow: { case: "actrRelay", value },
      }),
    );
    return envelopeId;
  }

  /** The next message that fits, waiting for it. */
  async next(fits: (envelope: SignalingEnvelope) => boolean): Promise<SignalingEnvelope> {
    const deadline = AbortSignal.timeout(patience);
    for (;;) {
      const at = this.#inbox.findIndex(fits);
      if (at >= 0) return this.#inbox.splice(at, 1)[0] as SignalingEnvelope;
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        deadline.addEventListener("abort", () => reject(new Error("no such message came")), {
          once: true,
        });
      });
    }
  }

  /** What has arrived and was not asked for. */
  get unread(): readonly SignalingEnvelope[] {
    return this.#inbox;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }
}

export interface ConnectAs {
  readonly path?: string;
  readonly id?: ActrId;
  readonly role?: "answer";
}

type ServerFlow = Extract<SignalingEnvelope["flow"], { case: "serverToActr" }>;
export type ServerPayload = ServerFlow["value"]["payload"];

/** The payload, which must be of one kind. */
export function only<C extends ServerPayload["case"]>(
  payload: ServerPayload,
  expected: C,
): Extract<ServerPayload, { case: C }> {
  assert.equal(payload.case, expected, JSON.stringify(payload.value, bigintText));
  return payload as Extract<ServerPayload, { case: C }>;
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
