import type { Hub } from "./hub.ts";
import type { Reachable } from "./reachable.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Tells everyone who asked that `member` is up, where its rules admit them. */
export function announce(hub: Hub, member: Reachable): void {
  for (const subscriber of hub.presence.subscribers(member.type)) tell(hub, subscriber, member);
}

/** Tells a new subscriber of the nodes of a type that are up already. */
export function announcePresent(hub: Hub, subscriber: SignalingSocket, type: string): void {
  for (const member of hub.directory.ofType(type)) tell(hub, subscriber, member);
}

function tell(hub: Hub, subscriber: SignalingSocket, member: Reachable): void {
  if (subscriber.key === member.key) return;
  if (!hub.discovery.sees(subscriber, member, hub.clock.monotonic())) return;
  subscriber.tell({ case: "actrUpEvent", value: { actorId: member.wireId } });
}
