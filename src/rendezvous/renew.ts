import { ActrError } from "../errors.ts";
import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { renewalTokenBytes } from "../protocol/renewal.ts";
import {
  decode,
  encode,
  RenewCredentialRequestSchema,
  RenewCredentialResponseSchema,
} from "../protocol/schema.ts";
import type { Ais } from "./ais.ts";
import { type Issued, issue } from "./issue.ts";
import type { Refusal } from "./realms.ts";
import { findToken, keep, nextToken, withToken } from "./renewal_tokens.ts";

/** An encoded RenewCredentialResponse and the HTTP status that mirrors its code. */
export interface RenewAnswer {
  readonly status: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const rejected: Refusal = { code: 401, message: "Renewal token invalid or expired" };

/** Answers a renewal: the same identity with a new credential (`spec/protocol.md` §6.4). */
export async function renew(ais: Ais, body: Uint8Array): Promise<RenewAnswer> {
  try {
    const { actrId, renewalToken } = decode(RenewCredentialRequestSchema, body);
    const id = fromActrIdMessage(actrId);
    if (renewalToken.length !== renewalTokenBytes) {
      return failed({ code: 400, message: "Invalid renewal token length" });
    }
    const refusal = await ais.realms.arrivalRefusal(id.realm);
    if (refusal !== undefined) return failed(refusal);
    const issued = await exchange(ais, id, renewalToken);
    return issued === undefined ? failed(rejected) : succeeded(issued);
  } catch (error) {
    return failed(failure(ais, error));
  }
}

/** The renewed identity; undefined when the token is not one of this actor's, or has ended. */
async function exchange(ais: Ais, id: ActrId, token: Uint8Array): Promise<Issued | undefined> {
  const registration = await ais.registrations.get(id);
  const actorId = formatActrId(id);
  if (registration?.actorId !== actorId) return undefined;
  const { tokens } = registration;
  const current = await findToken(ais, tokens, token);
  if (current === undefined) return undefined;
  const next = await nextToken(ais, actorId, current);
  const kept = withToken(tokens, await keep(next));
  if (kept !== tokens) await ais.registrations.put(id, { ...registration, tokens: kept });
  return await issue(ais, id, next);
}

function failure(ais: Ais, error: unknown): Refusal {
  const { code, message } = ActrError.from(error);
  if (code === "decode_failure") return { code: 400, message: `Invalid protobuf: ${message}` };
  ais.log.error("rendezvous.ais.renew_failed", { error_code: code, reason: message });
  return { code: 500, message: "Internal renewal store error" };
}

function succeeded(value: Issued): RenewAnswer {
  const bytes = encode(RenewCredentialResponseSchema, { result: { case: "success", value } });
  return { status: 200, bytes };
}

function failed({ code, message }: Refusal): RenewAnswer {
  const result = { case: "error" as const, value: { code, message } };
  return { status: code, bytes: encode(RenewCredentialResponseSchema, { result }) };
}
