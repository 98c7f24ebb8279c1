import type { TurnCredential } from "../../src/identity/issued_identity.ts";
import { defaultNodeOptions } from "../../src/options.ts";
import type { IceServer } from "../../src/ports/peer_connections.ts";
import { defaultWebRtcLinkOptions, type WebRtcLinkOptions } from "./link_options.ts";

/** How a path to a peer is looked for (`spec/transport.md` §6.5). */
export interface IceOptions {
  /** `stun:` URLs, asked for this node's public address. @default those that the identity service names, where turnUrls has none either */
  readonly stunUrls: readonly string[];
  /** `turn:` and `turns:` URLs of relays that take the login that the identity service issues. @default those that it names, where stunUrls has none either */
  readonly turnUrls: readonly string[];
  /** Uses relays alone. @default false */
  readonly relayOnly: boolean;
  /** Local UDP ports, both ends included. @default any */
  readonly portRange?: { readonly min: number; readonly max: number };
}

/** Bounds of the WebRTC transport; times in milliseconds (`spec/transport.md` §19). */
export interface WebRtcOptions extends IceOptions {
  readonly link: WebRtcLinkOptions;
  /** How long the server may take to say who offers. @default 5000 */
  readonly roleTimeoutMs: number;
  /** How long the side that answers waits for an offer. @default 10000 */
  readonly offerTimeoutMs: number;
  /** From the first description to the first open channel. @default 10000 */
  readonly connectTimeoutMs: number;
  /** What the channel gets at least, once there is a path. @default 2000 */
  readonly channelTimeoutMs: number;
  /** How long a peer that answers beats may be silent before its link counts as not working; it is asked when half of this has passed. @default 5000 */
  readonly heartbeatMs: number;
  /** Connections at once, all peers together; further ones are refused. @default 4096 */
  readonly maxConnections: number;
  /** Bytes of unfinished messages that all peers together may hold; who holds most loses first. @default 256 MiB */
  readonly maxPartialBytes: number;
  /** Whether descriptions without exchange id are left alone, as peers since 0.3.4 do. @default true */
  readonly requireExchangeId: boolean;
}

/** The defaults of {@link WebRtcOptions}. */
export const defaultWebRtcOptions: WebRtcOptions = {
  stunUrls: [],
  turnUrls: [],
  relayOnly: false,
  link: defaultWebRtcLinkOptions,
  roleTimeoutMs: 5_000,
  offerTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  channelTimeoutMs: 2_000,
  heartbeatMs: defaultNodeOptions.session.heartbeatMs,
  maxConnections: 4_096,
  maxPartialBytes: 268_435_456,
  requireExchangeId: true,
};

/**
 * The servers of a new connection: those of the options, or where these name none, those that came with the login.
 * Relays without a login would refuse it, and are left out.
 */
export function iceServers(options: IceOptions, login: TurnCredential | undefined): IceServer[] {
  const issued = login?.iceUrls ?? [];
  const own = options.stunUrls.length + options.turnUrls.length > 0;
  const stunUrls = own ? options.stunUrls : issued.filter((url) => /^stun:/i.test(url));
  const turnUrls = own ? options.turnUrls : issued.filter((url) => /^turns?:/i.test(url));
  const stun = stunUrls.length === 0 ? [] : [{ urls: stunUrls }];
  if (turnUrls.length === 0 || login === undefined) return stun;
  return [...stun, { urls: turnUrls, username: login.username, credential: login.password }];
}
