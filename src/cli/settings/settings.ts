import type { AclRule } from "../../define.ts";
import type { Durability } from "../../options.ts";
import type { LogLevel } from "../../ports/logger.ts";
import type { OptionSpecs } from "../command.ts";
import { type GuestSettings, guestSources } from "./guest.ts";
import { type PackageSettings, packageSources } from "./package_sources.ts";
import * as parse from "./parsers.ts";
import { type RendezvousSettings, rendezvousSources } from "./rendezvous.ts";
import { both, type SettingSource, switched } from "./setting_source.ts";

/** What may be configured. Everything is optional: the commands know their defaults. */
export interface Settings extends RendezvousSettings, PackageSettings, GuestSettings {
  readonly port?: number;
  readonly host?: string;
  readonly advertisedHost?: string;
  readonly identity?: string;
  readonly signaling?: string;
  readonly realm?: number;
  readonly realmSecret?: string;
  readonly store?: string;
  readonly storeToken?: string;
  readonly storeSyncUrl?: string;
  readonly storeTimeoutMs?: number;
  readonly inspectToken?: string;
  readonly actorToken?: string;
  readonly actorStore?: string;
  readonly actorStoreToken?: string;
  readonly durability?: Durability;
  readonly storeWorker?: boolean;
  readonly log?: LogLevel;
  readonly webrtc?: boolean;
  readonly stunUrls?: readonly string[];
  readonly turnUrls?: readonly string[];
  readonly relayOnly?: boolean;
  /** Local UDP ports, both ends included. */
  readonly webrtcPorts?: { readonly min: number; readonly max: number };
  /** The same as two keys of `actr.toml`. */
  readonly webrtcPortStart?: number;
  readonly webrtcPortEnd?: number;
  /** Runs every handler alone, whatever the app says. */
  readonly serial?: boolean;
  readonly acl?: readonly AclRule[];
}

/** Name of a setting. */
export type SettingName = keyof Settings;

/** Every setting: one row says where it comes from and what it may be. */
export const sources: {
  readonly [Name in SettingName]-?: SettingSource<NonNullable<Settings[Name]>>;
} = {
  port: both(
    ["port", "ROOST_PORT"],
    "N",
    "port to listen on, 0 for any free one (default 8080)",
    parse.port,
    "websocket.listen_port",
  ),
  host: both(
    ["host", "ROOST_HOST"],
    "ADDRESS",
    "address to listen on (default 0.0.0.0)",
    parse.text,
  ),
  advertisedHost: both(
    ["advertised-host", "ROOST_ADVERTISED_HOST"],
    "HOST",
    "host that peers are told to dial (default 127.0.0.1)",
    parse.text,
    "websocket.advertised_host",
  ),
  identity: both(
    ["identity", "ROOST_IDENTITY"],
    "URL",
    "identity service of the rendezvous (default http://127.0.0.1:8080/ais)",
    parse.identity,
    "ais_endpoint.url",
  ),
  signaling: both(
    ["signaling", "ROOST_SIGNALING"],
    "URL",
    "signaling socket (default: the host of the identity service, /signaling/ws)",
    parse.webSocketUrl,
    "signaling.url",
  ),
  realm: both(
    ["realm", "ROOST_REALM"],
    "N",
    "realm to register in (default 1001)",
    parse.realm,
    "deployment.realm_id",
  ),
  realmSecret: both(
    ["realm-secret", "ROOST_REALM_SECRET"],
    "SECRET",
    "secret of the realm; better given as ROOST_REALM_SECRET",
    parse.text,
    "deployment.realm_secret",
  ),
  store: {
    ...both(
      ["store", "ROOST_STORE"],
      "URL",
      "path of a file (default .roost/node.db beside the app), :memory: or the address of a libSQL server",
      parse.store,
    ),
    toml: { key: "storage.mailbox_path", parse: parse.store, template: true },
  },
  storeToken: {
    toml: { key: "store.token", parse: parse.text },
    env: "ROOST_STORE_TOKEN",
    parse: parse.text,
  },
  storeSyncUrl: both(
    ["store-sync", "ROOST_STORE_SYNC"],
    "URL",
    "makes the store's file a replica of this libSQL server",
    parse.storeServer,
    "store.sync",
  ),
  storeTimeoutMs: both(
    ["store-timeout", "ROOST_STORE_TIMEOUT_MS"],
    "MS",
    "longest wait for one answer of a libSQL server (default 5000)",
    parse.milliseconds,
    "store.timeout_ms",
  ),
  inspectToken: both(
    ["inspect-token", "ROOST_INSPECT_TOKEN"],
    "TOKEN",
    "opens /inspect/* to who sends it; better given as ROOST_INSPECT_TOKEN",
    parse.text,
  ),
  actorToken: both(
    ["actor-token", "ROOST_ACTOR_TOKEN"],
    "TOKEN",
    "opens the actors to who sends it; better given as ROOST_ACTOR_TOKEN (default: open to all)",
    parse.text,
  ),
  actorStore: both(
    ["actor-store", "ROOST_ACTOR_STORE"],
    "URL",
    "libSQL server where nodes share their actors (default: the store, and all live here)",
    parse.storeServer,
    "actors.store",
  ),
  actorStoreToken: {
    toml: { key: "actors.token", parse: parse.text },
    env: "ROOST_ACTOR_STORE_TOKEN",
    parse: parse.text,
  },
  durability: both(
    ["durability", "ROOST_DURABILITY"],
    "full|normal",
    "whether a commit survives power loss (default full)",
    parse.durability,
    "store.durability",
  ),
  storeWorker: {
    env: "ROOST_STORE_WORKER",
    toml: { key: "store.worker", parse: parse.yes },
    parse: parse.yes,
  },
  log: both(
    ["log", "ROOST_LOG"],
    "LEVEL",
    "trace, debug, info, warn or error (default: info where a node is served)",
    parse.logLevel,
    "observability.filter_level",
    parse.filterLevel,
  ),
  webrtc: switched(
    ["webrtc", "ROOST_WEBRTC"],
    "reach peers, and be reached, by WebRTC too",
    "webrtc.enabled",
  ),
  stunUrls: {
    toml: { key: "webrtc.stun_urls", parse: parse.stunUrls },
    env: "ROOST_STUN",
    flag: {
      name: "stun",
      value: "URL",
      multiple: true,
      help: "STUN server, such as stun:host:3478",
    },
    parse: parse.stunUrls,
  },
  turnUrls: {
    toml: { key: "webrtc.turn_urls", parse: parse.turnUrls },
    env: "ROOST_TURN",
    flag: {
      name: "turn",
      value: "URL",
      multiple: true,
      help: "TURN server, such as turn:host:3478",
    },
    parse: parse.turnUrls,
  },
  relayOnly: switched(
    ["relay-only", "ROOST_RELAY_ONLY"],
    "use TURN servers alone",
    "webrtc.force_relay",
  ),
  webrtcPorts: {
    env: "ROOST_WEBRTC_PORTS",
    flag: { name: "webrtc-ports", value: "MIN-MAX", help: "local UDP ports of WebRTC" },
    parse: parse.portRange,
  },
  webrtcPortStart: {
    toml: { key: "webrtc.port_range_start", parse: parse.port },
    parse: parse.port,
  },
  webrtcPortEnd: { toml: { key: "webrtc.port_range_end", parse: parse.port }, parse: parse.port },
  // Named as every Actr node names it: it is for those who operate them.
  serial: { env: "ACTR_DISPATCH_SERIAL", parse: parse.yes },
  acl: { toml: { key: "acl.rules", parse: parse.accessRules }, parse: parse.accessRules },
  ...rendezvousSources,
  ...packageSources,
  ...guestSources,
};

/** The settings that say how a store is opened, under the names that `serve` has for them. */
export type StoreSettings = Pick<
  Settings,
  "store" | "storeToken" | "storeSyncUrl" | "storeTimeoutMs" | "durability" | "storeWorker"
>;

/** How a store is opened, and nothing else. */
export function storeSettings(settings: StoreSettings): StoreSettings {
  const { store, storeToken, storeSyncUrl, storeTimeoutMs, durability, storeWorker } = settings;
  return {
    ...(store === undefined ? {} : { store }),
    ...(storeToken === undefined ? {} : { storeToken }),
    ...(storeSyncUrl === undefined ? {} : { storeSyncUrl }),
    ...(storeTimeoutMs === undefined ? {} : { storeTimeoutMs }),
    ...(durability === undefined ? {} : { durability }),
    ...(storeWorker === undefined ? {} : { storeWorker }),
  };
}

/** The settings of WebRTC that have flags. */
export const webRtcSettingNames: readonly SettingName[] = [
  "webrtc",
  "stunUrls",
  "turnUrls",
  "relayOnly",
  "webrtcPorts",
];

/** The flags of some settings, for a command's options. */
export function settingOptions(...names: readonly SettingName[]): OptionSpecs {
  const flags = names.flatMap((name) => sources[name].flag ?? []);
  return {
    ...Object.fromEntries(flags.map(({ name, ...spec }) => [name, spec])),
    config: { value: "FILE", help: "configuration (default actr.toml, if there is one)" },
  };
}
