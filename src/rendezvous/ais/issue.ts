import { toActrIdMessage } from "../../protocol/id_messages.ts";
import { type ActrId, formatActrId } from "../../protocol/ids.ts";
import type { RenewalToken } from "../../protocol/renewal.ts";
import type { MessageInit, RegisterResponse_RegisterOkSchema } from "../../protocol/schema.ts";
import { turnCredential } from "../../protocol/turn.ts";
import type { Ais } from "./ais.ts";

/** What a node gets when it registered or renewed. */
export type Issued = MessageInit<typeof RegisterResponse_RegisterOkSchema>;

/** A new credential and TURN login for `id`, with every expiry that clients rely on (`spec/protocol.md` §14.1). */
export async function issue(ais: Ais, id: ActrId, renewal: RenewalToken): Promise<Issued> {
  const { keys, options } = ais;
  const actorId = formatActrId(id);
  const expiresAt = nowSeconds(ais) + Math.floor(options.credentialTtlMs / 1000);
  const key = keys.current;
  const credential = await keys.sign({ realm: id.realm, actorId, expiresAt }, key);
  const turn = await turnCredential(ais.turnSecret, actorId, expiresAt);
  return {
    actrId: toActrIdMessage(id),
    credential,
    turnCredential: {
      ...turn,
      expiresAt: BigInt(expiresAt),
      iceUrls: [...options.iceUrls],
    },
    credentialExpiresAt: timestamp(expiresAt),
    signalingHeartbeatIntervalSecs: Math.round(options.heartbeatIntervalMs / 1000),
    signingPubkey: key.publicKey,
    signingKeyId: key.keyId,
    renewalToken: renewal.token,
    renewalTokenExpiresAt: timestamp(renewal.expiresAt),
  };
}

/** Unix seconds. */
export function nowSeconds({ clock }: Pick<Ais, "clock">): number {
  return Math.floor(clock.now() / 1000);
}

function timestamp(seconds: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(seconds), nanos: 0 };
}
