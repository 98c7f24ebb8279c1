import { ActrError } from "../errors.ts";
import { fromActrTypeMessage } from "../protocol/id_messages.ts";
import {
  type ActrId,
  type ActrType,
  formatActrId,
  formatActrType,
  parseActrType,
} from "../protocol/ids.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  type RegisterRequest,
  RegisterRequestSchema,
  RegisterResponseSchema,
} from "../protocol/schema.ts";
import type { Ais } from "./ais.ts";
import type { Profile } from "./directory.ts";
import { type Issued, issue } from "./issue.ts";
import type { Refusal } from "./realms.ts";
import { firstToken, keep } from "./renewal_tokens.ts";

interface Demand {
  readonly type: ActrType;
  readonly realm: number;
  readonly request: RegisterRequest;
}

/** Longest address that a node may announce, characters. */
const maxAddressLength = 2048;

/** Answers a registration with an encoded RegisterResponse, errors inside it (`spec/protocol.md` §6.1). Each success is a new identity. */
export async function register(
  ais: Ais,
  body: Uint8Array,
  secret: string | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const demand = read(body);
    const refusal =
      (await ais.realms.arrivalRefusal(demand.realm)) ??
      (await ais.realms.secretRefusal(demand.realm, secret)) ??
      modeRefusal(demand);
    return refusal === undefined ? succeeded(await enter(ais, demand)) : failed(refusal);
  } catch (error) {
    return failed(failure(ais, error));
  }
}

function read(body: Uint8Array): Demand {
  const request = decode(RegisterRequestSchema, body);
  if (request.realm === undefined) throw new ActrError("decode_failure", "realm is missing");
  return { type: fromActrTypeMessage(request.actrType), realm: request.realm.realmId, request };
}

/** Linked nodes prove themselves by the realm's secret; nothing of a package may be in their request (`spec/protocol.md` §6.2). */
function modeRefusal({ request, type }: Demand): Refusal | undefined {
  if (request.authMode !== RegisterAuthMode.LINKED) {
    return { code: 403, message: "manufacturer not verified or not registered" };
  }
  const ofPackage =
    request.manifestRaw.length > 0 ||
    request.mfrSignature.length > 0 ||
    request.manufacturerAuthSignature.length > 0 ||
    request.manufacturerAuthNonce.length > 0 ||
    request.manufacturerAuthSignedAt > 0n;
  if (ofPackage || type.version === "" || request.wsAddress.length > maxAddressLength) {
    return { code: 400, message: "Invalid credential format" };
  }
  return nameRefusal(type);
}

/** Names that clients could not read back from an ActrId's text are refused. */
function nameRefusal(type: ActrType): Refusal | undefined {
  try {
    parseActrType(formatActrType(type));
    return undefined;
  } catch (error) {
    return { code: 400, message: `Invalid actor type: ${ActrError.from(error).message}` };
  }
}

async function enter(ais: Ais, { type, realm, request }: Demand): Promise<Issued> {
  const id: ActrId = { realm, serial: await ais.serials.next(), type };
  const token = firstToken(ais);
  const issued = await issue(ais, id, token);
  await ais.registrations.put(id, {
    actorId: formatActrId(id),
    profile: profileOf(request),
    tokens: [await keep(token)],
  });
  ais.log.info("rendezvous.ais.registered", { realm, serial: id.serial.toString(16) });
  return issued;
}

function profileOf({ acl, serviceSpec, wsAddress }: RegisterRequest): Profile {
  return {
    ...(acl && { acl }),
    ...(serviceSpec && { spec: serviceSpec }),
    ...(wsAddress !== "" && { wsAddress }),
  };
}

function failure(ais: Ais, error: unknown): Refusal {
  const { code, message } = ActrError.from(error);
  // What decodes may still lack required fields, and then it cannot be stored.
  if (code === "decode_failure" || code === "invalid_argument")
    return { code: 400, message: `Invalid protobuf: ${message}` };
  ais.log.error("rendezvous.ais.register_failed", { error_code: code, reason: message });
  return { code: 500, message: "Token generation failed: the server could not store or sign" };
}

function succeeded(value: Issued): Uint8Array<ArrayBuffer> {
  return encode(RegisterResponseSchema, { result: { case: "success", value } });
}

function failed({ code, message }: Refusal): Uint8Array<ArrayBuffer> {
  return encode(RegisterResponseSchema, { result: { case: "error", value: { code, message } } });
}
