import { packageError } from "../package/package_error.ts";
import type { TrustProvider } from "./trust_provider.ts";

/** Accepts no package: `kind = "dev_only"`, which only sounds as if it accepted those of developers (`spec/guest.md` §21 GD-4). */
export const trustNobody: TrustProvider = {
  verify: () => {
    const mend = "make a key (roost keys), sign with it, and trust it: kind = static";
    const message = `no package is accepted where nobody is trusted; ${mend}`;
    return Promise.reject(packageError("signature_verification_failed", message));
  },
};
