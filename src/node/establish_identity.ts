import { ActrError } from "../errors.ts";
import type { AisClient, Registration } from "../identity/ais_client.ts";
import type { IssuedIdentity } from "../identity/issued_identity.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { troubles } from "../trouble.ts";
import type { IdentityRecord } from "./identity_record.ts";

/** A credential with less life left is renewed before it is used, milliseconds. */
const shortestUseMs = 60_000;

/** Collaborators of {@link establishIdentity}. */
export interface IdentityComponents {
  readonly ais: AisClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly record: IdentityRecord;
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
  const { record, log } = components;
  const kept = await revive(components, await record.load(), registration, signal);
  const identity = kept ?? (await register(components, registration, signal));
  log.info(kept === undefined ? "identity.registered" : "identity.resumed", {
    actr_id: identity.idText,
  });
  await record.save(identity);
  return identity;
}

async function register(
  { ais, log }: IdentityComponents,
  registration: Registration,
  signal: AbortSignal,
): Promise<IssuedIdentity> {
  try {
    return await ais.register(registration, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const { details } = ActrError.from(error);
    const facts = { error_code: details?.["code"] ?? details?.["status"], error };
    log.error("identity.registration_failed", { ...troubles.registrationRefused, ...facts });
    throw error;
  }
}

async function revive(
  { ais, clock, log }: IdentityComponents,
  saved: IssuedIdentity | undefined,
  registration: Registration,
  signal: AbortSignal,
): Promise<IssuedIdentity | undefined> {
  if (saved === undefined) return undefined;
  const now = clock.now();
  if (saved.credentialExpiresAtMs - now > shortestUseMs) return saved;
  const { id, renewalToken: token, renewalTokenExpiresAtMs = Number.POSITIVE_INFINITY } = saved;
  if (token === undefined) return undefined;
  try {
    if (renewalTokenExpiresAtMs > now) return await ais.renew(id, token, { signal });
    return await ais.reissue(id, token, registration, { signal });
  } catch (error) {
    signal.throwIfAborted();
    log.warn("identity.resume_failed", {
      actr_id: saved.idText,
      reason: ActrError.from(error).message,
    });
    return undefined;
  }
}
