import { ActrError } from "../errors.ts";
import {
  type Credential,
  decodeClaims,
  encodeClaims,
  type IdentityClaims,
} from "./credential_codec.ts";
import { type SigningKey, sign, verifySignature } from "./signing_key.ts";

/** Why a credential does not hold; stands in `details.reason` of the error. */
export type CredentialFault = "signature" | "claims" | "expired" | "realm" | "actor";

/** What to check a credential against. */
export interface CredentialExpectation {
  /** Unix seconds; a credential that ends at this instant has expired. */
  readonly now: number;
  /** The realm that the claims must name; absent where it is not compared (`spec/transport.md` §5.3). */
  readonly realm?: number;
  /** The ActrId text that the claims must name, compared byte by byte; absent where it is not compared. */
  readonly actorId?: string;
}

/** Issues a credential: the claims, signed with the key that `keyId` names. */
export async function signCredential(
  key: SigningKey,
  keyId: number,
  claims: IdentityClaims,
): Promise<Credential> {
  const encoded = encodeClaims(claims);
  return { keyId, claims: encoded, signature: await sign(key, encoded) };
}

/**
 * The claims of a credential that holds. Checked in order: signature over the received bytes, claims, expiry, realm,
 * actor (`spec/protocol.md` §4.1).
 * @throws ActrError `permission_denied`, details `{reason}` of {@link CredentialFault}.
 */
export async function verifyCredential(
  credential: Credential,
  key: CryptoKey,
  expected: CredentialExpectation,
): Promise<IdentityClaims> {
  if (!(await verifySignature(key, credential.signature, credential.claims))) {
    throw denied("signature", "the signature does not fit the claims and the key");
  }
  const claims = readClaims(credential.claims);
  if (claims.expiresAt <= expected.now) {
    throw denied(
      "expired",
      `it expired at ${claims.expiresAt} and it is ${expected.now}; renew it`,
    );
  }
  if (expected.realm !== undefined && claims.realm !== expected.realm) {
    throw denied("realm", `it is for realm ${claims.realm}, not ${expected.realm}`);
  }
  if (expected.actorId !== undefined && claims.actorId !== expected.actorId) {
    throw denied("actor", `it is for ${claims.actorId}, not ${expected.actorId}`);
  }
  return claims;
}

function readClaims(bytes: Uint8Array): IdentityClaims {
  try {
    return decodeClaims(bytes);
  } catch (cause) {
    throw denied("claims", "the claims cannot be read", cause);
  }
}

function denied(reason: CredentialFault, text: string, cause?: unknown): ActrError {
  return new ActrError("permission_denied", `credential refused: ${text}`, {
    details: { reason },
    cause,
  });
}
