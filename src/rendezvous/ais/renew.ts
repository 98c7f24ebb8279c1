import { ActrError } from "../../errors.ts";
import { fromActrIdMessage } from "../../protocol/id_messages.ts";
import { type ActrId, formatActrId } from "../../protocol/ids.ts";
import { renewalTokenBytes } from "../../protocol/renewal.ts";
import { decode, RenewCredentialRequestSchema } from "../../protocol/schema.ts";
import type { Ais } from "./ais.ts";
import { type AisAnswer, type Outcome, renewAnswer } from "./ais_answer.ts";
import { issue } from "./issue.ts";
import { realmRefusal } from "./realm_rate.ts";
import type { Refusal } from "./realms.ts";
import { findToken, hasEnded, keep, nextToken, withToken } from "./renewal_tokens.ts";

/** The token is not one of the node, or has ended. */
export const rejected: Refusal = { code: 401, message: "Renewal token invalid or expired" };

/** What cannot be a token. */
export const invalidLength: Refusal = { code: 400, message: "Invalid renewal token length" };

/** Answers an encoded RenewCredentialRequest: the same identity with a new credential (`spec/protocol.md` §6.4). */
export async function renew(ais: Ais, body: Uint8Array): Promise<AisAnswer> {
  try {
    const { actrId, renewalToken } = decode(RenewCredentialRequestSchema, body);
    return renewAnswer(await outcome(ais, fromActrIdMessage(actrId), renewalToken));
  } catch (error) {
    return renewAnswer({ refusal: renewFailure(ais, error) });
  }
}

async function outcome(ais: Ais, id: ActrId, token: Uint8Array): Promise<Outcome> {
  if (token.length !== renewalTokenBytes) return { refusal: invalidLength };
  const refusal = await ais.realms.arrivalRefusal(id.realm);
  if (refusal !== undefined) return { refusal };
  const registration = await ais.registrations.get(id);
  const actorId = formatActrId(id);
  if (registration?.actorId !== actorId) return { refusal: rejected };
  const current = await findToken(registration.tokens, token);
  if (current === undefined || hasEnded(ais, current)) return { refusal: rejected };
  const limited = realmRefusal(ais, id.realm);
  if (limited !== undefined) return limited;
  const next = await nextToken(ais, actorId, current);
  const tokens = withToken(registration.tokens, await keep(next));
  if (tokens !== registration.tokens) await ais.registrations.put(id, { ...registration, tokens });
  return { issued: await issue(ais, id, next) };
}

/** What a renewal that failed here is answered with. */
export function renewFailure(ais: Ais, error: unknown): Refusal {
  const { code, message } = ActrError.from(error);
  if (code === "decode_failure" || code === "invalid_argument") {
    return { code: 400, message: `Invalid protobuf: ${message}` };
  }
  ais.log.error("rendezvous.ais.renew_failed", { error_code: code, reason: message });
  return { code: 500, message: "Internal renewal store error" };
}
