import { packageError } from "../package/package_error.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";
import type { TrustOptions, TrustProvider } from "./trust_provider.ts";

/** Trusts what one of `providers` does, asked in order: the first that accepts decides; where none does, the last one's error is thrown. */
export function chainTrust(providers: readonly TrustProvider[]): TrustProvider {
  return { verify: (bytes, options) => firstOf(providers, bytes, options) };
}

async function firstOf(
  providers: readonly TrustProvider[],
  bytes: Uint8Array,
  options: TrustOptions,
): Promise<VerifiedPackage> {
  let last: unknown = packageError(
    "signature_verification_failed",
    "empty trust chain: name at least one provider",
  );
  for (const provider of providers) {
    try {
      return await provider.verify(bytes, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      last = error;
    }
  }
  throw last;
}
