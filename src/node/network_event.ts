/** The state of the network as the system tells it (`spec/node.md` §16). */
export interface NetworkPath {
  readonly kind: "path";
  /** Counts the snapshots; within one batch an older one is ignored. */
  readonly sequence: number;
  readonly availability: "unknown" | "available" | "unavailable";
  /** What it runs over; only for logs, like the two marks below. */
  readonly transports?: readonly ("wifi" | "cellular" | "ethernet" | "vpn" | "other")[];
  readonly expensive?: boolean;
  readonly constrained?: boolean;
}

/** The application left the foreground, or came back after `backgroundMs` milliseconds. */
export type AppLifecycle =
  | { readonly kind: "background" }
  | { readonly kind: "foreground"; readonly backgroundMs: number };

/** Ends every connection; nothing comes back before a later event asks for it. */
export interface CleanupRequest {
  readonly kind: "cleanup";
  readonly reason: "app_terminating" | "user_logout" | "stale_connection" | "manual_reset";
}

/** Replaces every connection. */
export interface ReconnectRequest {
  readonly kind: "reconnect";
  readonly reason:
    | "path_changed"
    | "long_background"
    | "probe_failed"
    | "manual"
    | "stale_connection";
}

/** What an application tells a node of its surroundings. */
export type NetworkEvent = NetworkPath | AppLifecycle | CleanupRequest | ReconnectRequest;

/** What a node does about a batch of events. */
export type NetworkAction = "noop" | "probe" | "restore" | "offline" | "cleanup" | "reconnect";

/** Time in the background after which no connection is trusted, milliseconds. */
const longBackgroundMs = 30_000;

/** The one action for a batch of events (`spec/node.md` §16, the table of reductions). */
export function reduceNetworkEvents(events: readonly NetworkEvent[]): NetworkAction {
  const has = (kind: NetworkEvent["kind"]): boolean => events.some((each) => each.kind === kind);
  if (has("cleanup")) return "cleanup";
  const availability = latestPath(events)?.availability;
  if (availability === "unavailable") return "offline";
  if (has("reconnect") || events.some(isLongForeground)) return "reconnect";
  if (availability === "available") return "restore";
  return availability === "unknown" || has("foreground") ? "probe" : "noop";
}

/** Whether the application was away for so long that every connection is to be replaced. */
export function isLongForeground(event: NetworkEvent): boolean {
  return event.kind === "foreground" && event.backgroundMs >= longBackgroundMs;
}

/** Whether connections change at once with this event, so that new requests had better wait. */
export function changesConnections(event: NetworkEvent): boolean {
  switch (event.kind) {
    case "path":
      return event.availability !== "unknown";
    case "foreground":
      return isLongForeground(event);
    default:
      return event.kind !== "background";
  }
}

function latestPath(events: readonly NetworkEvent[]): NetworkPath | undefined {
  let latest: NetworkPath | undefined;
  for (const event of events) {
    if (event.kind !== "path") continue;
    if (latest === undefined || event.sequence >= latest.sequence) latest = event;
  }
  return latest;
}

/** @throws RangeError for an event whose number is out of range. */
export function checkNetworkEvent(event: NetworkEvent): void {
  const [name, value] = numberOf(event);
  if (Number.isFinite(value) && value >= 0) return;
  throw new RangeError(`${name} is ${value}; it must be a number of at least 0`);
}

function numberOf(event: NetworkEvent): readonly [string, number] {
  if (event.kind === "path") return ["sequence", event.sequence];
  return event.kind === "foreground" ? ["backgroundMs", event.backgroundMs] : ["", 0];
}
