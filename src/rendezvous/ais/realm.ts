import { equalBytes, fromBase64, toBase64, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import type { RealmOptions } from "../options.ts";
import { unacceptable } from "./unacceptable.ts";

/** What is kept of a tenant. Of secrets that is base64 of their SHA-256. */
export interface KeptRealm {
  /** u32. */
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  /** Unix seconds; absent for one without an end. */
  readonly expiresAt?: number;
  /** What a registration has to present; absent for a realm that asks for nothing. */
  readonly secret?: string;
  /** The secret before, which holds as well until then, Unix seconds; null for as long as the options name it. */
  readonly previous?: { readonly secret: string; readonly until: number | null };
}

/** The realm that an option names. */
export async function realmOf({ id, secret, previousSecret }: RealmOptions): Promise<KeptRealm> {
  return {
    id,
    name: "",
    enabled: true,
    ...(secret !== undefined && { secret: await hashOf(secret) }),
    ...(previousSecret !== undefined && {
      previous: { secret: await hashOf(previousSecret), until: null },
    }),
  };
}

/** What keeps nodes out of a realm, if anything does, at `now` Unix seconds. */
export function faultOf(realm: KeptRealm | undefined, now: number): string | undefined {
  if (realm === undefined) return "not found";
  if (realm.expiresAt !== undefined && realm.expiresAt <= now) return "has expired";
  return realm.enabled ? undefined : "is disabled";
}

/** When the previous secret ends, Unix seconds or null; undefined when none holds at `now`. */
export function previousUntil({ previous }: KeptRealm, now: number): number | null | undefined {
  if (previous === undefined) return undefined;
  return previous.until === null || previous.until > now ? previous.until : undefined;
}

/** Whether a secret opens the realm at `now` Unix seconds. Compares hashes in constant time. */
export async function opens(realm: KeptRealm, secret: string, now: number): Promise<boolean> {
  const hash = await sha256(utf8(secret));
  const valid = [realm.secret];
  if (previousUntil(realm, now) !== undefined) valid.push(realm.previous?.secret);
  return valid.some((each) => equalBytes(hash, fromBase64(each ?? "") ?? new Uint8Array()));
}

/** The realm with another secret (its hash); the one before holds until then, Unix seconds. */
export function withSecret(realm: KeptRealm, secret: string, until: number): KeptRealm {
  const { previous: _, secret: before, ...rest } = realm;
  if (before === undefined || before === secret) return { ...rest, secret };
  return { ...rest, secret, previous: { secret: before, until } };
}

/** A secret as it is kept. */
export async function hashOf(secret: string): Promise<string> {
  return toBase64(await sha256(utf8(secret)));
}

/** @throws ActrError `invalid_argument`, details `reason` `id`. */
export function requireRealmId(id: number): void {
  if (Number.isInteger(id) && id >= 0 && id <= 0xffff_ffff) return;
  throw unacceptable(`a realm id must be an integer from 0 to 4294967295, not ${id}`, "id");
}

/** Clients send it in a header, whose ends are trimmed. @throws ActrError `invalid_argument`, details `reason` `secret`. */
export function requireSecret(secret: string): void {
  if (/^[!-~]([ -~]{0,254}[!-~])?$/.test(secret)) return;
  throw unacceptable(
    "a secret must be 1 to 256 characters of ASCII, not a space at its ends",
    "secret",
  );
}
