import { post } from "./http.ts";
import {
  type ActrId,
  type Credential,
  readCredential,
  readId,
  typeOf,
  writeId,
  writeType,
} from "./identity.ts";
import { Fields, Writer } from "./protobuf.ts";

/** What a registered node has been given (`spec/protocol.md` §2.4). */
export interface Registered {
  readonly id: ActrId;
  readonly credential: Credential;
  readonly turn: { readonly username: string; readonly password: string };
  readonly heartbeatSecs: number;
  readonly signingKey: { readonly id: number; readonly bytes: Uint8Array };
  readonly renewalToken: Uint8Array | undefined;
}

/** Who may call: the real client names its own realm where its configuration names none. */
export interface Rule {
  readonly allow: boolean;
  readonly type: string;
  readonly realm: number | "any";
}

/** How to register; the real client sends nothing else. */
export interface Registration {
  readonly type: string;
  readonly realm: number;
  readonly realmSecret?: string;
  readonly rules?: readonly Rule[];
  /** Where others may dial a direct WebSocket. */
  readonly wsAddress?: string;
}

/** The identity service said no. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`${code} ${message}`);
    this.code = code;
  }
}

const linked = 2;

export function registerRequest(registration: Registration): Uint8Array<ArrayBuffer> {
  const { type, realm, rules, wsAddress } = registration;
  const request = new Writer()
    .message(1, writeType(typeOf(type)))
    .message(2, new Writer().varint(1, realm));
  if (rules !== undefined) request.message(4, writeAcl(rules));
  if (wsAddress !== undefined) request.text(6, wsAddress);
  return request.varint(14, linked).done();
}

function writeAcl(rules: readonly Rule[]): Writer {
  const acl = new Writer();
  for (const { allow, type, realm } of rules) {
    const rule = new Writer().varint(1, allow).message(2, writeType(typeOf(type)));
    acl.message(1, realm === "any" ? rule.varint(3, true) : rule.varint(4, realm));
  }
  return acl;
}

export function readRegisterResponse(body: Uint8Array): Registered {
  const response = new Fields(body);
  const error = response.message(2);
  if (error !== undefined) throw new Refused(error.number(1) ?? 0, error.text(2) ?? "");
  const ok = response.message(1);
  if (ok === undefined) throw new Refused(0, "an answer without result");
  const [id, credential, turn] = [ok.message(1), ok.message(2), ok.message(3)];
  if (id === undefined || credential === undefined) throw new Refused(0, "no identity");
  return {
    id: readId(id),
    credential: readCredential(credential),
    turn: { username: turn?.text(1) ?? "", password: turn?.text(2) ?? "" },
    heartbeatSecs: ok.number(5) ?? 0,
    signingKey: { id: ok.number(7) ?? 0, bytes: ok.bytes(6) ?? new Uint8Array(0) },
    renewalToken: ok.bytes(12),
  };
}

/** Registers at `<ais>/register`. @throws Refused. */
export async function register(ais: string, registration: Registration): Promise<Registered> {
  return await ask(ais, "register", secretOf(registration), registerRequest(registration));
}

/** Renews at `<ais>/renew`, which takes no realm secret. @throws Refused. */
export async function renew(ais: string, id: ActrId, token: Uint8Array): Promise<Registered> {
  const body = new Writer().message(1, writeId(id)).bytes(2, token).done();
  return await ask(ais, "renew", [], body);
}

/** Asks `<ais>/reissue` for a credential of the same id, with the request that it registered by. @throws Refused. */
export async function reissue(
  ais: string,
  id: ActrId,
  token: Uint8Array,
  registration: Registration,
): Promise<Registered> {
  const body = new Writer()
    .message(1, writeId(id))
    .bytes(2, registerRequest(registration))
    .bytes(3, token);
  return await ask(ais, "reissue", secretOf(registration), body.done());
}

type Headers = readonly (readonly [string, string])[];

function secretOf({ realmSecret }: Registration): Headers {
  return realmSecret === undefined ? [] : [["x-actrix-realm-secret", realmSecret]];
}

async function ask(
  ais: string,
  path: string,
  more: Headers,
  body: Uint8Array,
): Promise<Registered> {
  const protobuf = "application/x-protobuf";
  const headers = [["content-type", protobuf], ["accept", protobuf], ...more] as const;
  const answer = await post(`${ais.replace(/\/+$/, "")}/${path}`, headers, body);
  if (answer.status < 200 || answer.status > 299) throw new Refused(answer.status, "by status");
  return readRegisterResponse(answer.body);
}
