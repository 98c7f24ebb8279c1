/**
 * Calls nodes from a page.
 * @module
 */
import { connectPeer } from "../serve/connect.ts";
import type { ConnectOptions, Peer } from "../serve/options.ts";
import { hasPeerConnections } from "./peer_connections.ts";
import { browserRuntime } from "./runtime.ts";

export type { ConnectOptions, Peer, Target } from "../serve/options.ts";

/**
 * Connects to a rendezvous, or a node that embeds one, to call its peers: by WebRTC, which a page has unless
 * `webrtc: false`, and by WebSocket where a peer has an address.
 * @throws ActrError `config`, `registration`, `unavailable`; then nothing is left running.
 *
 * @example
 * ```ts
 * const peer = await connect(location.origin);
 * const echo = peer.service(EchoService, "acme:EchoService:1.0.0");
 * console.log(await echo.echo({ message: "hi" }));
 * ```
 */
export function connect(address: string, options: ConnectOptions = {}): Promise<Peer> {
  return connectPeer(browserRuntime(), address, { webrtc: hasPeerConnections(), ...options });
}
