import { toBase64, utf8 } from "./bytes.ts";
import { hmac } from "./crypto.ts";

/** Short-lived login for TURN servers that share a secret with the identity service. */
export interface TurnCredential {
  /** `<expiresAt>:<ActrId text>`. */
  readonly username: string;
  /** Base64 of HMAC-SHA1 over the username. */
  readonly password: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** The TURN login of an actor, valid until `expiresAt` Unix seconds (`spec/protocol.md` §5; coturn's `--use-auth-secret`). The secret must not be empty. */
export async function turnCredential(
  secret: string,
  actorId: string,
  expiresAt: number,
): Promise<TurnCredential> {
  const username = `${expiresAt}:${actorId}`;
  const password = toBase64(await hmac("SHA-1", utf8(secret), utf8(username)));
  return { username, password, expiresAt };
}
