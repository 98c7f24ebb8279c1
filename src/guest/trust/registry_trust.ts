import { nameFault } from "../../protocol/names.ts";
import { packageError } from "../package/package_error.ts";
import { peekManifest } from "../package/peek.ts";
import { untrusted } from "./refusal.ts";
import { registryRoot } from "./registry_endpoint.ts";
import { fetchRegistryKey, type KeyName, type RegistryComponents } from "./registry_http.ts";
import { RegistryKeys } from "./registry_keys.ts";
import { verifySignedBy } from "./signed_by.ts";
import type { TrustProvider } from "./trust_provider.ts";

/** What a {@link registryTrust} asks, and how. */
export interface RegistryTrustOptions extends RegistryComponents {
  /** Root of the server; `/ais` at its end is cut. */
  readonly endpoint: string;
  /** Whether a key older than an hour counts while the registry cannot be reached. @default false */
  readonly allowStale?: boolean;
}

/** A provider that asks a registry for keys. */
export interface RegistryTrust extends TrustProvider {
  /** Asks for a key ahead of the packages signed with it. @throws ActrError as `verify`. */
  prefetch(name: KeyName, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Trusts what the named manufacturer signed, with a key that a registry has for it. @throws ActrError `config` for a bad address. */
export function registryTrust(options: RegistryTrustOptions): RegistryTrust {
  const { endpoint, allowStale = false, clock } = options;
  const registry = registryRoot(endpoint);
  const keys = new RegistryKeys(
    {
      clock,
      registry,
      fetchKey: (name, signal) => fetchRegistryKey(options, registry, name, signal),
    },
    { allowStale },
  );
  return {
    async verify(bytes, trust) {
      trust.signal?.throwIfAborted();
      const key = await keys.get(await signer(bytes), trust.signal);
      return await verifySignedBy(key, bytes, trust);
    },
    async prefetch(name, { signal } = {}) {
      await keys.get(requireName(name), signal);
    },
  };
}

/** Who says to have signed a package; nothing of it is proven. @throws ActrError for what is no package, or names no key. */
async function signer(bytes: Uint8Array): Promise<KeyName> {
  const { manufacturer, signingKeyId: keyId } = await peekManifest(bytes);
  if (keyId !== undefined) return requireName({ manufacturer, keyId });
  const mend = "sign it with a tool that writes signing_key_id, such as roost pack";
  const message = `the manifest does not say which key signed it; ${mend}`;
  throw packageError("manifest_parse_error", message, { field: "signing_key_id" });
}

/** Refuses names that no registry can have a key for, before it is asked. */
function requireName(name: KeyName): KeyName {
  const { manufacturer, keyId } = name;
  if (nameFault("name", manufacturer) === undefined && /^mfr-[0-9a-f]{16}$/.test(keyId))
    return name;
  throw untrusted(`${JSON.stringify(`${manufacturer}:${keyId}`)} names no key of a manufacturer`);
}
