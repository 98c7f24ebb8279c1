import { announce } from "./announcements.ts";
import type { Hub } from "./hub.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Takes a node that connected here into sight and tells who waits for it; an older connection of it ends (`spec/protocol.md` §7.1). */
export function enter(hub: Hub, connection: SignalingSocket): void {
  hub.directory.add(connection)?.displaced();
  hub.neighbours.arrived(connection);
  announce(hub, connection);
}

/** Takes a connection out of sight at once, with its subscriptions; a newer one of the same node stays. Idempotent. */
export function withdraw(hub: Hub, connection: SignalingSocket): void {
  if (hub.directory.remove(connection)) hub.neighbours.left(connection);
  hub.presence.drop(connection);
}
