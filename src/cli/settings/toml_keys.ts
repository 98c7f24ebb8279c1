import { Misuse } from "../misuse.ts";
import { suggestion } from "../suggest.ts";
import { sources } from "./settings.ts";

/** Keys of `actr.toml` that have no effect here yet, or need none (`spec/protocol.md` §12.1). */
const withoutEffect: readonly string[] = [
  "edition",
  "deployment.ais_endpoint",
  "discovery.visible",
  "webrtc.stun_urls",
  "webrtc.turn_urls",
  "webrtc.force_relay",
  "webrtc.ice_host_acceptance_min_wait",
  "webrtc.ice_srflx_acceptance_min_wait",
  "webrtc.ice_prflx_acceptance_min_wait",
  "webrtc.ice_relay_acceptance_min_wait",
  "webrtc.port_range_start",
  "webrtc.port_range_end",
  "webrtc.ice_udp_mux_port",
  "webrtc.public_ips",
  "observability.tracing_enabled",
  "observability.tracing_endpoint",
  "observability.tracing_service_name",
  "capabilities.max_concurrent_requests",
  "capabilities.version_range",
  "capabilities.region",
  "capabilities.tags",
  "package.path",
  "scripts",
  "trust",
  "web.port",
  "web.host",
  "web.static_dir",
  "web.package_url",
  "web.runtime_wasm_url",
];

const withEffect: readonly string[] = Object.values(sources).flatMap(({ toml }) => toml?.key ?? []);
const known = [...withEffect, ...withoutEffect];
const tables = new Set(known.map((key) => key.split(".", 1)[0] ?? key));

/** Values by dotted key, and the keys that do nothing here. */
export interface TomlValues {
  readonly values: ReadonlyMap<string, unknown>;
  readonly unused: readonly string[];
}

/** Flattens a document to the keys that are known. @throws Misuse for a key that is not, with the nearest that is. */
export function knownValues(document: Readonly<Record<string, unknown>>, file: string): TomlValues {
  const entries = Object.entries(document).flatMap(([name, value]) =>
    leaves(name, value).map(([key, leaf]) => [key, leaf] as const),
  );
  for (const [key] of entries) {
    if (known.includes(key)) continue;
    if (tables.has(key)) throw new Misuse(`${key} in ${file} must be a table: [${key}]`);
    throw new Misuse(`unknown key ${key} in ${file}.${suggestion(key, known)}`);
  }
  const unused = entries.map(([key]) => key).filter((key) => withoutEffect.includes(key));
  return { values: new Map(entries), unused };
}

/** The entries of a table; a known key that holds a table or list is one entry. */
function leaves(name: string, value: unknown): [string, unknown][] {
  if (known.includes(name) || typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[name, value]];
  }
  return Object.entries(value).map(([key, leaf]) => [`${name}.${key}`, leaf]);
}
