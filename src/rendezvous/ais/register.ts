import { ActrError } from "../../errors.ts";
import { type ActrId, formatActrId } from "../../protocol/ids.ts";
import type { Ais } from "./ais.ts";
import { type AisAnswer, type Outcome, registerAnswer } from "./ais_answer.ts";
import { type Demand, demandRefusal, profileOf, readDemand } from "./demand.ts";
import { type Issued, issue } from "./issue.ts";
import { realmRefusal } from "./realm_rate.ts";
import type { Refusal } from "./realms.ts";
import { firstToken, keep } from "./renewal_tokens.ts";

/** Answers an encoded RegisterRequest (`spec/protocol.md` §6.1). Each success is a new identity. */
export async function register(
  ais: Ais,
  body: Uint8Array,
  secret: string | undefined,
): Promise<AisAnswer> {
  try {
    return registerAnswer(await outcome(ais, readDemand(body), secret));
  } catch (error) {
    return registerAnswer({ refusal: failure(ais, error) });
  }
}

async function outcome(ais: Ais, demand: Demand, secret: string | undefined): Promise<Outcome> {
  const refusal = await demandRefusal(ais, demand, secret);
  if (refusal !== undefined) return { refusal };
  return realmRefusal(ais, demand.realm) ?? { issued: await enter(ais, demand) };
}

async function enter(ais: Ais, demand: Demand): Promise<Issued> {
  const { realm, type } = demand;
  const id: ActrId = { realm, serial: await ais.serials.next(), type };
  const token = firstToken(ais);
  const issued = await issue(ais, id, token);
  await ais.registrations.put(id, {
    actorId: formatActrId(id),
    profile: profileOf(demand),
    tokens: [await keep(token)],
  });
  ais.log.info("rendezvous.ais.registered", { realm, serial: id.serial.toString(16) });
  return issued;
}

function failure(ais: Ais, error: unknown): Refusal {
  const { code, message } = ActrError.from(error);
  // What decodes may still lack required fields, and then it cannot be stored.
  if (code === "decode_failure" || code === "invalid_argument") {
    return { code: 400, message: `Invalid protobuf: ${message}` };
  }
  ais.log.error("rendezvous.ais.register_failed", { error_code: code, reason: message });
  return { code: 500, message: "Token generation failed: the server could not store or sign" };
}
