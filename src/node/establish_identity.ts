import { ActrError } from "../errors.ts";
import type { AisClient, Registration } from "../identity/ais_client.ts";
import type { IssuedIdentity } from "../identity/issued_identity.ts";
import { decodeIdentity, encodeIdentity } from "../identity/saved_identity.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import { formatActrType } from "../protocol/ids.ts";

/** Where a node keeps who it is. */
const space = "node";

/** A credential with less life left is renewed before it is used, milliseconds. */
const shortestUseMs = 60_000;

/** Collaborators of the functions here. */
export interface IdentityComponents {
  readonly ais: AisClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
}

/**
 * Who this node is: the identity of its last run when it registered for the same then, else a new one.
 * @throws ActrError `registration`, `unavailable`, `storage`; the signal's reason.
 */
export async function establishIdentity(
  components: IdentityComponents,
  registration: Registration,
  signal: AbortSignal,
): Promise<IssuedIdentity> {
  const { store, log } = components;
  const key = await identityKey(registration);
  const saved = await store.record(space, key);
  const kept =
    saved === undefined ? undefined : await revive(components, decodeIdentity(saved), signal);
  const identity = kept ?? (await components.ais.register(registration, { signal }));
  log.info(kept === undefined ? "identity.registered" : "identity.resumed", {
    id: identity.idText,
  });
  await saveIdentity(store, key, identity);
  return identity;
}

/** Keeps an identity for the next run. */
export async function saveIdentity(
  store: Store,
  key: string,
  identity: IssuedIdentity,
): Promise<void> {
  await store.commit([{ kind: "record.put", space, key, value: encodeIdentity(identity) }]);
}

/** Names what a node registered as: a changed address or rule needs a new registration, since renewing does not carry them. */
export async function identityKey(registration: Registration): Promise<string> {
  const { type, realm, acl, wsAddress } = registration;
  const text = JSON.stringify([formatActrType(type), realm, wsAddress ?? null, acl?.rules ?? null]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `identity-${[...new Uint8Array(hash, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function revive(
  { ais, clock, log }: IdentityComponents,
  saved: IssuedIdentity | undefined,
  signal: AbortSignal,
): Promise<IssuedIdentity | undefined> {
  if (saved === undefined) return undefined;
  const now = clock.now();
  if (saved.credentialExpiresAtMs - now > shortestUseMs) return saved;
  const { id, renewalToken, renewalTokenExpiresAtMs = 0 } = saved;
  if (renewalToken === undefined || renewalTokenExpiresAtMs <= now) return undefined;
  try {
    return await ais.renew(id, renewalToken, { signal });
  } catch (error) {
    signal.throwIfAborted();
    log.warn("identity.resume_failed", { id: saved.idText, error: ActrError.from(error).message });
    return undefined;
  }
}
