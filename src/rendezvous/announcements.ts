import type { Hub } from "./hub.ts";
import type { Reachable } from "./reachable.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Tells everyone who asked that `member` is up, where its rules admit them. */
export function announce(hub: Hub, member: Reachable): void {
  for (const subscriber of hub.presence.subscribers(member.type)) tell(hub, subscriber, member);
}

/** Nodes that one subscriber is told of in one turn: the others, and what they send, come in between. */
const membersPerTurn = 64;
/** Bytes that may wait for a subscriber who is told more. */
const bufferedBytes = 64 * 1024;
/** Pause until a subscriber may have read what waits for it, milliseconds. */
const pauseMs = 20;

/**
 * Tells a new subscriber of the nodes of a type that are up already: a few at once, then no faster than it reads. Those who
 * come up meanwhile it hears of as they come.
 */
export function announcePresent(hub: Hub, subscriber: SignalingSocket, type: string): void {
  const subscription = hub.presence.subscription(subscriber, type);
  const present = [...hub.directory.ofType(type)].values();
  const next = (): void => {
    if (subscriber.bufferedAmount > bufferedBytes && subscription?.ended === false) {
      hub.clock.timer(hub.clock.now() + pauseMs, next);
      return;
    }
    for (let count = 0; count < membersPerTurn; count++) {
      const { done, value: member } = present.next();
      if (done === true || subscription?.ended !== false) return;
      // It may have gone since, or come again: then the subscriber has heard of it.
      if (hub.directory.has(member)) tell(hub, subscriber, member);
    }
    hub.clock.defer(next);
  };
  next();
}

function tell(hub: Hub, subscriber: SignalingSocket, member: Reachable): void {
  if (subscriber.key === member.key) return;
  if (!hub.discovery.sees(subscriber, member, hub.clock.monotonic())) return;
  subscriber.tell({ case: "actrUpEvent", value: { actorId: member.wireId } });
}
