import { assertNever } from "../../errors.ts";
import { chainTrust } from "./chain_trust.ts";
import type { RegistryComponents } from "./registry_http.ts";
import { registryTrust } from "./registry_trust.ts";
import { staticTrust } from "./static_trust.ts";
import { trustNobody } from "./trust_nobody.ts";
import type { TrustProvider } from "./trust_provider.ts";

/** One party that is trusted, as data: what `[hyper.trust]` and `[[trust]]` say (`spec/guest.md` §6). */
export type TrustAnchor =
  | { readonly kind: "nobody" }
  /** 32 raw bytes. */
  | { readonly kind: "key"; readonly publicKey: Uint8Array }
  | { readonly kind: "registry"; readonly endpoint: string; readonly allowStale: boolean };

/** The provider that trusts any of `anchors`, asked in their order. @throws ActrError `config` for a registry's bad address. */
export function anchoredTrust(
  anchors: readonly TrustAnchor[],
  components: RegistryComponents,
): TrustProvider {
  const providers = anchors.map((anchor) => providerOf(anchor, components));
  const [only, ...others] = providers;
  return only !== undefined && others.length === 0 ? only : chainTrust(providers);
}

function providerOf(anchor: TrustAnchor, components: RegistryComponents): TrustProvider {
  switch (anchor.kind) {
    case "nobody":
      return trustNobody;
    case "key":
      return staticTrust(anchor.publicKey);
    case "registry":
      return registryTrust({ ...components, ...anchor });
    default:
      return assertNever(anchor);
  }
}
