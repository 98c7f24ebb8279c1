import { ActrError } from "../../errors.ts";
import { fromActrTypeMessage } from "../../protocol/id_messages.ts";
import { type ActrType, formatActrType, parseActrType } from "../../protocol/ids.ts";
import {
  decode,
  RegisterAuthMode,
  type RegisterRequest,
  RegisterRequestSchema,
} from "../../protocol/schema.ts";
import type { Profile } from "../discovery/directory.ts";
import { packageRefusal } from "../packages/package_proof.ts";
import type { Ais } from "./ais.ts";
import type { Refusal } from "./realms.ts";

/** What a node wants to be. */
export interface Demand {
  readonly type: ActrType;
  readonly realm: number;
  readonly request: RegisterRequest;
}

/** Longest address that a node may announce, and longest target triple: characters. */
const maxLengths = { address: 2048, target: 256 } as const;

const malformed: Refusal = { code: 400, message: "Invalid credential format" };

/** The demand in an encoded RegisterRequest. @throws ActrError `decode_failure`, `invalid_argument`. */
export function readDemand(body: Uint8Array): Demand {
  const request = decode(RegisterRequestSchema, body);
  if (request.realm === undefined) throw new ActrError("decode_failure", "realm is missing");
  return { type: fromActrTypeMessage(request.actrType), realm: request.realm.realmId, request };
}

/** Why a demand with this realm secret is refused, if so (`spec/protocol.md` §6.1 and 6.2). @throws ActrError `storage`. */
export async function demandRefusal(
  ais: Ais,
  demand: Demand,
  secret: string | undefined,
): Promise<Refusal | undefined> {
  return (
    (await ais.realms.arrivalRefusal(demand.realm)) ??
    (await ais.realms.secretRefusal(demand.realm, secret)) ??
    formRefusal(demand) ??
    nameRefusal(demand.type) ??
    (isLinked(demand) ? undefined : await packageRefusal(ais, demand))
  );
}

/** What is kept of a demand. */
export function profileOf({ request: { acl, serviceSpec, wsAddress } }: Demand): Profile {
  return {
    ...(acl && { acl }),
    ...(serviceSpec && { spec: serviceSpec }),
    ...(wsAddress !== "" && { wsAddress }),
  };
}

/** Every other mode, also one that is not known, is that of packages. */
function isLinked({ request }: Demand): boolean {
  return request.authMode === RegisterAuthMode.LINKED;
}

/** Linked nodes prove themselves by the realm's secret: nothing of a package may be in their request. */
function formRefusal(demand: Demand): Refusal | undefined {
  const { type, request } = demand;
  if (type.version === "" || request.wsAddress.length > maxLengths.address) return malformed;
  if (!isLinked(demand)) return request.target.length > maxLengths.target ? malformed : undefined;
  const ofPackage =
    request.manifestRaw.length > 0 ||
    request.mfrSignature.length > 0 ||
    request.manufacturerAuthSignature.length > 0 ||
    request.manufacturerAuthNonce.length > 0 ||
    request.manufacturerAuthSignedAt > 0n;
  return ofPackage ? malformed : undefined;
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
