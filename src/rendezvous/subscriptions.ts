import type { ActrType } from "../protocol/schema.ts";
import type { Refusal } from "./ais/realms.ts";
import { announcePresent } from "./announcements.ts";
import type { Hub } from "./hub.ts";
import { typeText } from "./messages.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Longer than the text of any type, characters. */
const maxTypeLength = 1024;

/** Answers a subscription and tells of the nodes that are up already, unless it was there before. */
export function subscribe(
  hub: Hub,
  from: SignalingSocket,
  wanted: ActrType | undefined,
  replyFor: string,
): undefined {
  const type = typeText(wanted);
  const outcome = type.length > maxTypeLength ? "long" : hub.presence.subscribe(from, type);
  const refusal = refusalOf(outcome, hub.options.limits.maxSubscriptions);
  const result = refusal === undefined ? success : ({ case: "error", value: refusal } as const);
  from.tell({ case: "subscribeActrUpResponse", value: { result } }, replyFor);
  if (outcome === "added") announcePresent(hub, from, type);
}

const success = { case: "success", value: {} } as const;

function refusalOf(outcome: string, limit: number): Refusal | undefined {
  if (outcome === "long") return { code: 400, message: "No node has a type of that length" };
  if (outcome !== "full") return undefined;
  return { code: 429, message: `Too many subscriptions. Limit: ${limit}` };
}

/** Ends a subscription, also one that was never made. */
export function unsubscribe(
  hub: Hub,
  from: SignalingSocket,
  wanted: ActrType | undefined,
  replyFor: string,
): undefined {
  hub.presence.unsubscribe(from, typeText(wanted));
  from.tell({ case: "unsubscribeActrUpResponse", value: { result: success } }, replyFor);
}
