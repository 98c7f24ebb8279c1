import { concatBytes, utf8 } from "./bytes.ts";
import { hmac } from "./crypto.ts";

/** Bytes of a renewal token. */
export const renewalTokenBytes = 32;

/** A token with its end. */
export interface RenewalToken {
  readonly token: Uint8Array<ArrayBuffer>;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** What a successor is derived from. */
export interface RenewalStep {
  readonly oldToken: Uint8Array;
  /** Text form of the ActrId. */
  readonly actorId: string;
  /** Unix seconds. */
  readonly oldExpiresAt: number;
  /** Seconds that the successor lives longer than the old token. */
  readonly ttlSeconds: number;
}

const context = utf8("actrix/ais/renewal/v1");

/** The token that follows another: HMAC-SHA256 under the server's secret, so that repeated and parallel renewals agree (`spec/protocol.md` §4.3). */
export async function renewalSuccessor(
  secret: Uint8Array,
  step: RenewalStep,
): Promise<RenewalToken> {
  const expiry = new Uint8Array(8);
  new DataView(expiry.buffer).setBigInt64(0, BigInt(step.oldExpiresAt));
  const message = concatBytes([context, step.oldToken, utf8(step.actorId), expiry]);
  const token = await hmac("SHA-256", secret, message);
  return { token, expiresAt: step.oldExpiresAt + step.ttlSeconds };
}
