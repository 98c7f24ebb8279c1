import { equalBytes, toBase64, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { type RenewalToken, renewalSuccessor, renewalTokenBytes } from "../../protocol/renewal.ts";
import type { Ais } from "./ais.ts";
import { nowSeconds } from "./issue.ts";
import type { KeptToken } from "./registrations.ts";

/** How many tokens of an identity are usable at once: one, and its predecessor until that ends. */
const keptTokens = 2;

/** The first token of a new identity. */
export function firstToken(ais: Ais): RenewalToken {
  const expiresAt = nowSeconds(ais) + ttlSeconds(ais);
  return { token: ais.random.bytes(renewalTokenBytes), expiresAt };
}

/** A token as it may be stored. */
export async function keep({ token, expiresAt }: RenewalToken): Promise<KeptToken> {
  return { hash: toBase64(await sha256(token)), expiresAt };
}

/** The kept token that `token` is, which may have ended; found in constant time. */
export async function findToken(
  kept: readonly KeptToken[],
  token: Uint8Array,
): Promise<RenewalToken | undefined> {
  const hash = utf8(toBase64(await sha256(token)));
  const found = kept.find((each) => equalBytes(utf8(each.hash), hash));
  return found && { token: new Uint8Array(token), expiresAt: found.expiresAt };
}

/** Whether a token no longer counts. */
export function hasEnded(ais: Ais, { expiresAt }: RenewalToken): boolean {
  return expiresAt <= nowSeconds(ais);
}

/** The token to hand out for a valid one: itself, or near its end the one that follows (`spec/protocol.md` §4.3). */
export async function nextToken(
  ais: Ais,
  actorId: string,
  current: RenewalToken,
): Promise<RenewalToken> {
  const rotationSeconds = Math.floor(ais.options.renewalRotationMs / 1000);
  if (current.expiresAt - nowSeconds(ais) > rotationSeconds) return current;
  return await successor(ais, actorId, current);
}

/** The token that follows one which may have ended: a whole life from now on, and the same for every try. */
export async function tokenAgain(
  ais: Ais,
  actorId: string,
  old: RenewalToken,
): Promise<RenewalToken> {
  const { token } = await successor(ais, actorId, old);
  return { token, expiresAt: nowSeconds(ais) + ttlSeconds(ais) };
}

function successor(ais: Ais, actorId: string, old: RenewalToken): Promise<RenewalToken> {
  return renewalSuccessor(ais.renewalSecret, {
    oldToken: old.token,
    actorId,
    oldExpiresAt: old.expiresAt,
    ttlSeconds: ttlSeconds(ais),
  });
}

function ttlSeconds(ais: Ais): number {
  return Math.floor(ais.options.renewalTtlMs / 1000);
}

/** `kept` with one more token, newest first; the same list when it is there already. */
export function withToken(kept: readonly KeptToken[], token: KeptToken): readonly KeptToken[] {
  if (kept.some((each) => each.hash === token.hash)) return kept;
  return [...kept, token].sort((a, b) => b.expiresAt - a.expiresAt).slice(0, keptTokens);
}
