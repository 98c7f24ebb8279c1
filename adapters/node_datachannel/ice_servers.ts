import type { IceServer as NativeIceServer } from "node-datachannel";
import type { IceServer } from "../../src/ports/peer_connections.ts";

/** `scheme:host[:port][?transport=…]`, with brackets around IPv6 hosts. */
const shape = /^(stun|turn|turns):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/;

const defaultPort = 3_478;

/** Servers as node-datachannel wants them, those that it cannot reach left out. @throws RangeError for a URL that is none. */
export function nativeIceServers(servers: readonly IceServer[]): NativeIceServer[] {
  return servers.flatMap((server) =>
    server.urls.flatMap((url) => {
      const [, scheme, host = "", port, transport] = shape.exec(url) ?? [];
      if (scheme === undefined) throw new RangeError(`${url} is no STUN or TURN URL`);
      if (scheme === "turns" || transport === "tcp") return [];
      const place = { hostname: host.replace(/^\[|\]$/g, ""), port: Number(port ?? defaultPort) };
      if (scheme === "stun") return [place];
      const { username = "", credential = "" } = server;
      return [{ ...place, username, password: credential, relayType: "TurnUdp" as const }];
    }),
  );
}
