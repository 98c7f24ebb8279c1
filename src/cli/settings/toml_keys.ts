import { Misuse } from "../misuse.ts";
import { suggestion } from "../suggest.ts";
import { sources } from "./settings.ts";

/** Keys of `actr.toml` that have no effect here yet, or need none (`spec/protocol.md` §12.1). */
const withoutEffect: readonly string[] = [
  "edition",
  "deployment.ais_endpoint",
  "discovery.visible",
  "webrtc.ice_host_acceptance_min_wait",
  "webrtc.ice_srflx_acceptance_min_wait",
  "webrtc.ice_prflx_acceptance_min_wait",
  "webrtc.ice_relay_acceptance_min_wait",
  "observability.tracing_enabled",
  "observability.tracing_endpoint",
  "observability.tracing_service_name",
  "capabilities.max_concurrent_requests",
  "capabilities.version_range",
  "capabilities.region",
  "capabilities.tags",
  "hyper.data_dir",
  "hyper.storage_path_template",
  "scripts",
  "web.port",
  "web.host",
  "web.static_dir",
  "web.package_url",
  "web.runtime_wasm_url",
];

/** Keys that ask for what nothing here can do, and what to do instead; an empty list or 0 asks for nothing. */
const impossible: Readonly<Record<string, string>> = {
  "webrtc.ice_udp_mux_port":
    "no WebRTC library here shares one port; use webrtc.port_range_start and port_range_end",
  "webrtc.public_ips": "no WebRTC library here names other addresses; use webrtc.stun_urls",
};

const withEffect: readonly string[] = Object.values(sources).flatMap(({ toml }) => toml?.key ?? []);
const known = [...withEffect, ...withoutEffect, ...Object.keys(impossible)];
const tables = new Set(known.map((key) => key.split(".", 1)[0] ?? key));

/** Values by dotted key, and the keys that do nothing here. */
export interface TomlValues {
  readonly values: ReadonlyMap<string, unknown>;
  readonly unused: readonly string[];
}

/** Flattens a document to the keys that are known. @throws Misuse for a key that is not, with the nearest that is. */
export function knownValues(document: Readonly<Record<string, unknown>>, file: string): TomlValues {
  refuseEmptyAcl(document, file);
  const entries = Object.entries(document).flatMap(([name, value]) =>
    leaves(name, value).map(([key, leaf]) => [key, leaf] as const),
  );
  for (const [key, value] of entries) {
    refuseImpossible(key, value, file);
    if (known.includes(key)) continue;
    if (tables.has(key)) throw new Misuse(`${key} in ${file} must be a table: [${key}]`);
    throw new Misuse(`unknown key ${key} in ${file}.${suggestion(key, known)}`);
  }
  const unused = entries.map(([key]) => key).filter((key) => withoutEffect.includes(key));
  return { values: new Map(entries), unused };
}

/** A table of rules without any would let everybody in, and is hardly meant to. */
function refuseEmptyAcl({ acl }: Readonly<Record<string, unknown>>, file: string): void {
  const isTable = typeof acl === "object" && acl !== null && !Array.isArray(acl);
  if (!isTable || Object.keys(acl).length > 0) return;
  throw new Misuse(
    `acl in ${file} has no rules; write [[acl.rules]], or rules = [] to let nobody in`,
  );
}

function refuseImpossible(key: string, value: unknown, file: string): void {
  const mend = Object.hasOwn(impossible, key) ? impossible[key] : undefined;
  const asksNothing = value === 0 || (Array.isArray(value) && value.length === 0);
  if (mend === undefined || asksNothing) return;
  throw new Misuse(`${key} in ${file} is ${JSON.stringify(value)}; ${mend}`);
}

/** The entries of a table; a known key that holds a table or list is one entry. */
function leaves(name: string, value: unknown): [string, unknown][] {
  if (known.includes(name) || typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[name, value]];
  }
  return Object.entries(value).map(([key, leaf]) => [`${name}.${key}`, leaf]);
}
