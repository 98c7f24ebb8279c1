/**
 * Calls nodes from a page.
 * @module
 */
import "./dispose_symbols.ts";
import type { WithActors } from "../../src/actor_client.ts";
import { ActrError } from "../../src/errors.ts";
import { connectPeer } from "../serve/connect.ts";
import type { ConnectOptions, Peer } from "../serve/options.ts";
import { hasPeerConnections } from "./peer_connections.ts";
import { browserRuntime } from "./runtime.ts";

export type { ConnectOptions, ListOptions, Peer, Target } from "../serve/options.ts";

/**
 * Connects to a rendezvous, or a node that embeds one, to call its peers: by WebRTC, which a page has unless
 * `webrtc: false`, and by WebSocket where a peer has an address.
 * @throws ActrError `config`, also where the page is no secure context; `registration`, `unavailable`; then nothing is
 * left running.
 *
 * @example
 * ```ts
 * const peer = await connect(location.origin);
 * const echo = peer.service(EchoService, "acme:EchoService:1.0.0");
 * console.log(await echo.echo({ message: "hi" }));
 * ```
 */
export async function connect<App extends WithActors = WithActors>(
  address: string,
  options: ConnectOptions = {},
): Promise<Peer<App>> {
  if (!isSecureContext) {
    throw new ActrError(
      "config",
      `${origin} is no secure context; serve the page by https, or from localhost`,
    );
  }
  return await connectPeer<App>(browserRuntime(), address, {
    webrtc: hasPeerConnections(),
    ...options,
  });
}
