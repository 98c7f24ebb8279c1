import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError } from "../../errors.ts";
import { anchoredTrust, type TrustAnchor } from "../../guest/trust/trust_anchor.ts";
import type { TrustProvider } from "../../guest/trust/trust_provider.ts";
import type { PackageSettings } from "../settings/package_sources.ts";
import type { TrustSource } from "../settings/trust.ts";
import { readPublicKey } from "./key_files.ts";

/**
 * Who is trusted, by settings: flags and variables first, then `[hyper.trust]`, then `[[trust]]` (`spec/guest.md` §6).
 * @throws ActrError `config` where nobody is named, or a key file cannot be used.
 */
export async function openTrust(settings: PackageSettings): Promise<TrustProvider> {
  const anchors = await Promise.all(sourcesOf(settings).map(anchorOf));
  return anchoredTrust(anchors, { fetch: globalThis.fetch, clock: systemClock() });
}

function sourcesOf(settings: PackageSettings): readonly TrustSource[] {
  const { trustKeys = [], trustRegistry = [], hyperTrust, trust } = settings;
  const named = [...trustKeys, ...trustRegistry];
  const sources = named.length > 0 ? named : (hyperTrust ?? trust);
  if (sources !== undefined) return sources;
  const mend = "name --trust-key FILE or --trust-registry URL, or write [hyper.trust] in actr.toml";
  throw new ActrError("config", `nothing says who may sign packages; ${mend}`);
}

async function anchorOf(source: TrustSource): Promise<TrustAnchor> {
  if (source.kind !== "key_file") return source;
  return { kind: "key", publicKey: await readPublicKey(source.path) };
}
