import { isTable } from "../../protocol/manifest/toml_table.ts";
import {
  defaultRendezvousLimits,
  type RendezvousLimits,
  type RendezvousOptions,
} from "../../rendezvous/options.ts";
import { Misuse } from "../misuse.ts";
import { choice } from "../suggest.ts";
import * as parse from "./parsers.ts";
import { both, type SettingSource } from "./setting_source.ts";

const timeNames = [
  "credentialTtlMs",
  "renewalTtlMs",
  "renewalRotationMs",
  "reissueMs",
  "keyLifeMs",
  "keyToleranceMs",
  "realmSecretGraceMs",
  "heartbeatIntervalMs",
  "entryExpiryMs",
  "pingIntervalMs",
  "silenceMs",
] as const;

type TimeName = (typeof timeNames)[number];
type LimitName = keyof RendezvousLimits;

/** The times and limits of a rendezvous, under the names of its options. */
export interface RendezvousTuning extends Partial<Readonly<Record<TimeName, number>>> {
  /** `[rendezvous.limits]`. */
  readonly rendezvousLimits?: Partial<RendezvousLimits>;
  /** Those limits that have flags. */
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
}

type Sources = {
  readonly [Name in keyof RendezvousTuning]-?: SettingSource<NonNullable<RendezvousTuning[Name]>>;
};

/** Where they come from: those that operators change have flags, all are in the file. */
export const rendezvousTuningSources: Sources = {
  credentialTtlMs: time("credential-life", "life of a credential (default 1h)"),
  renewalTtlMs: time("renewal-life", "how long a node may be away and still renew (default 24h)"),
  renewalRotationMs: timeInFile("renewal_rotation"),
  reissueMs: timeInFile("reissue"),
  keyLifeMs: time("key-life", "how long one key signs credentials (default 30d)"),
  keyToleranceMs: time(
    "key-tolerance",
    "how long the credentials of an earlier key count (default twice --credential-life)",
  ),
  realmSecretGraceMs: timeInFile("realm_secret_grace"),
  heartbeatIntervalMs: time("heartbeat", "how often nodes are told to report (default 30s)"),
  entryExpiryMs: timeInFile("entry_expiry"),
  pingIntervalMs: timeInFile("ping_interval"),
  silenceMs: timeInFile("silence"),
  rendezvousLimits: { toml: { key: "rendezvous.limits", parse: limits }, parse: limits },
  maxConnections: both(
    ["max-connections", "ROOST_MAX_CONNECTIONS"],
    "N",
    `nodes that may be connected at once (default ${defaultRendezvousLimits.maxConnections})`,
    parse.count,
  ),
  maxConnectionsPerAddress: both(
    ["max-connections-per-address", "ROOST_MAX_CONNECTIONS_PER_ADDRESS"],
    "N",
    `those of one address (default ${defaultRendezvousLimits.maxConnectionsPerAddress})`,
    parse.count,
  ),
};

/** Those of them that have flags. */
export const rendezvousTuningFlags: readonly (keyof RendezvousTuning)[] = [
  "credentialTtlMs",
  "renewalTtlMs",
  "keyLifeMs",
  "keyToleranceMs",
  "heartbeatIntervalMs",
  "maxConnections",
  "maxConnectionsPerAddress",
];

/** The times and limits that settings name, as options; a limit's flag is stronger than the table. */
export function tuningOptions(settings: RendezvousTuning): RendezvousOptions {
  const { maxConnections, maxConnectionsPerAddress } = settings;
  const limits: RendezvousOptions["limits"] = {
    ...settings.rendezvousLimits,
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }),
  };
  const named = timeNames.filter((name) => settings[name] !== undefined);
  return {
    ...Object.fromEntries(named.map((name) => [name, settings[name]])),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

function time(flag: string, help: string): SettingSource<number> {
  const key = snakeCase(flag);
  const env = `ROOST_${key.toUpperCase()}`;
  return both([flag, env], "TIME", help, parse.duration, `rendezvous.${key}`);
}

function timeInFile(key: string): SettingSource<number> {
  return { toml: { key: `rendezvous.${key}`, parse: parse.duration }, parse: parse.duration };
}

/** Limits by the keys of the file: `maxBodyBytes` is `max_body_bytes` there. */
const limitOfKey = new Map(
  (Object.keys(defaultRendezvousLimits) as LimitName[]).map((name) => [snakeCase(name), name]),
);

function limits(value: unknown, place: parse.Place): Partial<RendezvousLimits> {
  if (!isTable(value)) throw parse.wrong(value, place, "write a [rendezvous.limits] table");
  return Object.fromEntries(
    Object.entries(value).map(([key, limit]) => {
      const inner = { ...place, name: place.name.replace(/^\S+/, (table) => `${table}.${key}`) };
      return [limitName(key, inner), parse.count(limit, inner)];
    }),
  );
}

function limitName(key: string, { name: place }: parse.Place): LimitName {
  const name = limitOfKey.get(key);
  if (name !== undefined) return name;
  throw new Misuse(`unknown key ${place}.${choice(key, [...limitOfKey.keys()])}`);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll("-", "_");
}
