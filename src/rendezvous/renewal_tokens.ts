import { equalBytes, toBase64, utf8 } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/crypto.ts";
import { type RenewalToken, renewalSuccessor, renewalTokenBytes } from "../protocol/renewal.ts";
import type { Ais } from "./ais.ts";
import { nowSeconds } from "./issue.ts";
import type { KeptToken } from "./registrations.ts";

/** How many tokens of an identity are usable at once: one, and its predecessor until that ends. */
const keptTokens = 2;

/** The first token of a new identity. */
export function firstToken(ais: Ais): RenewalToken {
  const ttlSeconds = Math.floor(ais.options.renewalTtlMs / 1000);
  return { token: ais.random.bytes(renewalTokenBytes), expiresAt: nowSeconds(ais) + ttlSeconds };
}

/** A token as it may be stored. */
export async function keep({ token, expiresAt }: RenewalToken): Promise<KeptToken> {
  return { hash: toBase64(await sha256(token)), expiresAt };
}

/** The kept token that `token` is and that has not ended, found in constant time. */
export async function findToken(
  ais: Ais,
  kept: readonly KeptToken[],
  token: Uint8Array,
): Promise<RenewalToken | undefined> {
  const hash = utf8(toBase64(await sha256(token)));
  const found = kept.find((each) => equalBytes(utf8(each.hash), hash));
  if (found === undefined || found.expiresAt <= nowSeconds(ais)) return undefined;
  return { token: new Uint8Array(token), expiresAt: found.expiresAt };
}

/** The token to hand out for a valid one: itself, or near its end the one that follows (`spec/protocol.md` §4.3). */
export async function nextToken(
  ais: Ais,
  actorId: string,
  current: RenewalToken,
): Promise<RenewalToken> {
  const rotationSeconds = Math.floor(ais.options.renewalRotationMs / 1000);
  if (current.expiresAt - nowSeconds(ais) > rotationSeconds) return current;
  return await renewalSuccessor(ais.renewalSecret, {
    oldToken: current.token,
    actorId,
    oldExpiresAt: current.expiresAt,
    ttlSeconds: Math.floor(ais.options.renewalTtlMs / 1000),
  });
}

/** `kept` with one more token, newest first; the same list when it is there already. */
export function withToken(kept: readonly KeptToken[], token: KeptToken): readonly KeptToken[] {
  if (kept.some((each) => each.hash === token.hash)) return kept;
  return [...kept, token].sort((a, b) => b.expiresAt - a.expiresAt).slice(0, keptTokens);
}
