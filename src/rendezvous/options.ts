import {
  type ClusterOptions,
  type ResolvedClusterOptions,
  resolveClusterOptions,
} from "./cluster/options.ts";
import type { WithoutRules } from "./discovery/acl.ts";

/** One tenant. */
export interface RealmOptions {
  /** u32. */
  readonly id: number;
  /** Shared secret that a registration must present; without one the realm is open. */
  readonly secret?: string;
  /** Holds as well, so that nodes can change over one by one; only together with `secret`. */
  readonly previousSecret?: string;
}

/** A manufacturer whose packages may register. */
export interface ManufacturerOptions {
  readonly name: string;
  /** Base64 of its public keys, 32 bytes each, raw Ed25519; several while it changes them. */
  readonly keys: readonly string[];
}

/** Bounds on what strangers can make the rendezvous hold or do. */
export interface RendezvousLimits {
  /** Longest HTTP request body, bytes; a longer one is answered 413. @default 2 MiB */
  readonly maxBodyBytes: number;
  /** HTTP requests to the identity service, and upgrades to signaling, that one address may make at once; over it they are answered 429 with Retry-After. @default 2000 */
  readonly addressBurst: number;
  /** HTTP requests and upgrades per second that one address may keep up. @default 200 */
  readonly addressRequestsPerSecond: number;
  /** Registrations and renewals that one realm may make at once; over it they are answered 429 with Retry-After. @default 20000 */
  readonly realmBurst: number;
  /** Registrations and renewals per second that one realm may keep up. @default 2000 */
  readonly realmIdentitiesPerSecond: number;
  /** Longest signaling message, bytes; a longer one ends the connection with 1009. @default 256 KiB */
  readonly maxMessageBytes: number;
  /** Signaling messages that one connection may send at once. @default 2000 */
  readonly messageBurst: number;
  /** Signaling messages per second that one connection may keep up; over it each is answered with 429, and over twice that the connection ends with 1008. @default 500 */
  readonly messagesPerSecond: number;
  /** Messages of one connection waiting for a credential check or their turn; over it the connection ends with 1008. @default 1024 */
  readonly maxPendingMessages: number;
  /** Bytes waiting for a connection that does not read; over it the connection is dropped. @default 4 MiB */
  readonly maxBufferedBytes: number;
  /** Types that one connection may subscribe to. @default 256 */
  readonly maxSubscriptions: number;
  /** Connections from one address; over it the upgrade is answered 429. @default 1000 */
  readonly maxConnectionsPerAddress: number;
  /** Connections in all; over it the upgrade is answered 503. @default 20000 */
  readonly maxConnections: number;
}

/** Every tunable of a rendezvous, resolved. */
export interface ResolvedRendezvousOptions {
  /** Realms, besides those that were created while it ran; as long as there is none at all, every realm is open, as for development. @default [] */
  readonly realms: readonly RealmOptions[];
  /** How long a realm's secret holds on when it is rotated, milliseconds. @default 14400000 */
  readonly realmSecretGraceMs: number;
  /** Who may sign packages, besides those that were added while it ran. @default [] */
  readonly manufacturers: readonly ManufacturerOptions[];
  /** Header in which a proxy in front names the address of its client, such as `x-forwarded-for`; of several the last one counts. Only where a proxy sets it. @default the address of the socket counts */
  readonly addressHeader: string | undefined;
  /** Who finds and reaches a node that registered without access rules. @default "realm" */
  readonly withoutRules: WithoutRules;
  /** Life of a credential, milliseconds. @default 3600000 */
  readonly credentialTtlMs: number;
  /** How long one key signs credentials before the next one takes over, milliseconds. @default 2592000000 (30 days) */
  readonly keyLifeMs: number;
  /** How long credentials count that an earlier key signed, milliseconds; no shorter than they live. @default twice credentialTtlMs */
  readonly keyToleranceMs: number;
  /** Life of a renewal token, milliseconds. @default 86400000 */
  readonly renewalTtlMs: number;
  /** How long after the end of its renewal token an identity can be issued again, milliseconds. @default 86400000 */
  readonly reissueMs: number;
  /** Remaining life from which on a renewal hands out the next token, milliseconds. @default 21600000 */
  readonly renewalRotationMs: number;
  /** How often nodes are told to report, milliseconds: whole seconds on the wire, so 1000 at least. @default 30000 */
  readonly heartbeatIntervalMs: number;
  /** Silence after which a node is no candidate, and age at which its report no longer counts, milliseconds; longer than heartbeatIntervalMs. @default twice that, at least 60000 */
  readonly entryExpiryMs: number;
  /** Pause between WebSocket pings, milliseconds. @default 15000 */
  readonly pingIntervalMs: number;
  /** Silence after which a pinged socket is dropped, milliseconds; longer than pingIntervalMs. @default twice that */
  readonly silenceMs: number;
  /** `stun:`, `turn:` and `turns:` URLs handed to nodes, for those that are told none of their own; nodes of the original have to be told. @default [] */
  readonly iceUrls: readonly string[];
  /** Secret shared with the TURN server; without one a random secret is kept in the store. */
  readonly turnSecret: string | undefined;
  /** Tells servers apart that share a store, in serial numbers; 0 to 31. @default 0; in a cluster, one that no other server has */
  readonly worker: number;
  /** Opens `/admin/*` to operators, who send it as a bearer token; 16 characters or more. @default there is no `/admin` */
  readonly adminToken: string | undefined;
  /** Makes this one of several servers on a store that is open for all of them; without it, it has its store to itself. */
  readonly cluster: ResolvedClusterOptions | undefined;
  readonly limits: RendezvousLimits;
}

/** What a user may set; the rest has defaults. */
export type RendezvousOptions = Partial<Omit<ResolvedRendezvousOptions, "limits" | "cluster">> & {
  readonly limits?: Partial<RendezvousLimits>;
  readonly cluster?: ClusterOptions;
};

/** Defaults of {@link RendezvousLimits}. */
export const defaultRendezvousLimits: RendezvousLimits = {
  maxBodyBytes: 2 * 1024 * 1024,
  addressBurst: 2000,
  addressRequestsPerSecond: 200,
  realmBurst: 20_000,
  realmIdentitiesPerSecond: 2000,
  maxMessageBytes: 256 * 1024,
  messageBurst: 2000,
  messagesPerSecond: 500,
  maxPendingMessages: 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  maxSubscriptions: 256,
  maxConnectionsPerAddress: 1000,
  maxConnections: 20_000,
};

/** Defaults of {@link ResolvedRendezvousOptions}. */
const defaultRendezvousOptions: ResolvedRendezvousOptions = {
  realms: [],
  realmSecretGraceMs: 14_400_000,
  manufacturers: [],
  addressHeader: undefined,
  withoutRules: "realm",
  credentialTtlMs: 3_600_000,
  keyLifeMs: 2_592_000_000,
  keyToleranceMs: 7_200_000,
  renewalTtlMs: 86_400_000,
  reissueMs: 86_400_000,
  renewalRotationMs: 21_600_000,
  heartbeatIntervalMs: 30_000,
  entryExpiryMs: 60_000,
  pingIntervalMs: 15_000,
  silenceMs: 30_000,
  iceUrls: [],
  turnSecret: undefined,
  worker: 0,
  adminToken: undefined,
  cluster: undefined,
  limits: defaultRendezvousLimits,
};

const times = [
  "realmSecretGraceMs",
  "credentialTtlMs",
  "keyLifeMs",
  "renewalTtlMs",
  "renewalRotationMs",
  "reissueMs",
  "heartbeatIntervalMs",
  "entryExpiryMs",
  "pingIntervalMs",
  "silenceMs",
] as const;

/** Options with every default filled in. @throws RangeError when a value is out of range. */
export function resolveRendezvousOptions(options: RendezvousOptions): ResolvedRendezvousOptions {
  const limits = { ...defaultRendezvousLimits, ...options.limits };
  const cluster = options.cluster && resolveClusterOptions(options.cluster);
  const resolved = withTimes({ ...defaultRendezvousOptions, ...options, limits, cluster }, options);
  const { worker } = resolved;
  if (!Number.isInteger(worker) || worker < 0 || worker > 31) {
    throw new RangeError(`worker must be an integer from 0 to 31, not ${worker}`);
  }
  for (const realm of resolved.realms) checkRealm(realm);
  for (const url of resolved.iceUrls) {
    if (/^(stun|turns?):[^\s/]+$/i.test(url)) continue;
    throw new RangeError(`iceUrls: ${JSON.stringify(url)} is no URL such as turn:host:3478`);
  }
  if (resolved.adminToken !== undefined && !/^\S{16,}$/.test(resolved.adminToken)) {
    throw new RangeError("adminToken must have 16 characters or more, and no spaces");
  }
  if (resolved.turnSecret === "") throw new RangeError("turnSecret must not be empty");
  checkTimes(resolved);
  checkPositive(Object.keys(defaultRendezvousLimits) as (keyof RendezvousLimits)[], limits);
  return resolved;
}

/** Those times that follow from others, where nobody says otherwise. */
function withTimes(
  resolved: ResolvedRendezvousOptions,
  given: RendezvousOptions,
): ResolvedRendezvousOptions {
  const { credentialTtlMs, heartbeatIntervalMs, pingIntervalMs } = resolved;
  return {
    ...resolved,
    keyToleranceMs: given.keyToleranceMs ?? 2 * credentialTtlMs,
    entryExpiryMs: given.entryExpiryMs ?? Math.max(60_000, 2 * heartbeatIntervalMs),
    silenceMs: given.silenceMs ?? 2 * pingIntervalMs,
  };
}

function checkTimes(options: ResolvedRendezvousOptions): void {
  checkPositive(times, options);
  const { credentialTtlMs, keyToleranceMs, heartbeatIntervalMs, pingIntervalMs } = options;
  if (!(keyToleranceMs >= credentialTtlMs)) {
    const reason = "or credentials end before their time";
    throw new RangeError(
      `keyToleranceMs must be at least credentialTtlMs (${credentialTtlMs}), not ${keyToleranceMs}, ${reason}`,
    );
  }
  if (!(heartbeatIntervalMs >= 1000)) {
    throw new RangeError(`heartbeatIntervalMs must be at least 1000, not ${heartbeatIntervalMs}`);
  }
  checkLonger("entryExpiryMs", options.entryExpiryMs, "heartbeatIntervalMs", heartbeatIntervalMs);
  checkLonger("silenceMs", options.silenceMs, "pingIntervalMs", pingIntervalMs);
}

function checkLonger(name: string, ms: number, than: string, otherMs: number): void {
  if (ms > otherMs) return;
  const reason = "or nodes are given up that do as they are told";
  throw new RangeError(`${name} must be longer than ${than} (${otherMs}), not ${ms}, ${reason}`);
}

function checkRealm({ id, secret, previousSecret }: RealmOptions): void {
  if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff) {
    throw new RangeError(`a realm id must be an integer from 0 to 4294967295, not ${id}`);
  }
  for (const each of [secret, previousSecret]) {
    if (each === undefined || (each !== "" && each.trim() === each)) continue;
    throw new RangeError(
      `the secret of realm ${id} must not be empty, nor begin or end with a space`,
    );
  }
  if (previousSecret !== undefined && secret === undefined) {
    throw new RangeError(`realm ${id} has a previous secret and no secret; give it both`);
  }
}

function checkPositive<K extends string>(names: readonly K[], values: Record<K, number>): void {
  for (const name of names) {
    if (!(values[name] > 0)) throw new RangeError(`${name} must be above 0, not ${values[name]}`);
  }
}
