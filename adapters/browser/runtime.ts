import type { Runtime } from "../serve/options.ts";
import { browserPeerConnections } from "./peer_connections.ts";
import { browserSockets } from "./sockets.ts";

/** A page, or a worker. */
export function browserRuntime(): Runtime {
  return {
    name: "browser",
    sockets: browserSockets(),
    peerConnections: browserPeerConnections,
  };
}
