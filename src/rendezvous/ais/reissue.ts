import { type ActrId, actrTypeEquals, formatActrId } from "../../protocol/ids.ts";
import { decodeReissue, type ReissueRequest } from "../../protocol/reissue.ts";
import { renewalTokenBytes } from "../../protocol/renewal.ts";
import type { Ais } from "./ais.ts";
import { type AisAnswer, type Outcome, renewAnswer } from "./ais_answer.ts";
import { type Demand, demandRefusal, profileOf, readDemand } from "./demand.ts";
import { type Issued, issue, nowSeconds } from "./issue.ts";
import { realmRefusal } from "./realm_rate.ts";
import type { Refusal } from "./realms.ts";
import { invalidLength, rejected, renewFailure } from "./renew.ts";
import { findToken, keep, tokenAgain } from "./renewal_tokens.ts";

const another: Refusal = { code: 400, message: "The registration is of another realm or type" };

/**
 * Answers a node whose renewal token has ended and that wants to stay who it is: it proves itself as at a registration,
 * and by the token, old as it is. Answered as a renewal is (`spec/real-client.md`).
 */
export async function reissue(
  ais: Ais,
  body: Uint8Array,
  secret: string | undefined,
): Promise<AisAnswer> {
  try {
    const request = decodeReissue(body);
    return renewAnswer(await outcome(ais, request, readDemand(request.registration), secret));
  } catch (error) {
    return renewAnswer({ refusal: renewFailure(ais, error) });
  }
}

async function outcome(
  ais: Ais,
  { id, renewalToken }: ReissueRequest,
  demand: Demand,
  secret: string | undefined,
): Promise<Outcome> {
  if (renewalToken.length !== renewalTokenBytes) return { refusal: invalidLength };
  if (id.realm !== demand.realm || !actrTypeEquals(id.type, demand.type)) {
    return { refusal: another };
  }
  const refusal = await demandRefusal(ais, demand, secret);
  if (refusal !== undefined) return { refusal };
  const limited = realmRefusal(ais, id.realm);
  if (limited !== undefined) return limited;
  const issued = await again(ais, id, demand, renewalToken);
  return issued === undefined ? { refusal: rejected } : { issued };
}

/** The same identity once more; undefined when the token was never one of it, or ended too long ago. */
async function again(
  ais: Ais,
  id: ActrId,
  demand: Demand,
  token: Uint8Array,
): Promise<Issued | undefined> {
  const registration = await ais.registrations.get(id);
  const actorId = formatActrId(id);
  if (registration?.actorId !== actorId) return undefined;
  const old = await findToken(registration.tokens, token);
  const reissueSeconds = Math.floor(ais.options.reissueMs / 1000);
  if (old === undefined || old.expiresAt + reissueSeconds <= nowSeconds(ais)) return undefined;
  const next = await tokenAgain(ais, actorId, old);
  // The old one stays, so that a node which has not got this answer may ask for it once more.
  const tokens = [await keep(next), await keep(old)];
  await ais.registrations.put(id, { actorId, profile: profileOf(demand), tokens });
  ais.log.info("rendezvous.ais.reissued", { realm: id.realm, serial: id.serial.toString(16) });
  return await issue(ais, id, next);
}
