import {
  type RegistryTrust,
  type RegistryTrustOptions,
  registryTrust as trustOf,
} from "../src/guest/trust/registry_trust.ts";
import { systemClock } from "./system_clock.ts";

export type { RegistryTrust };

/**
 * Trusts packages that the manufacturer which they name has signed, with a key that a registry has for it: the root of a
 * rendezvous. @throws ActrError `config` for a bad address.
 */
export function registryTrust(
  options: Pick<RegistryTrustOptions, "endpoint" | "allowStale">,
): RegistryTrust {
  return trustOf({ ...options, fetch: globalThis.fetch, clock: systemClock() });
}
