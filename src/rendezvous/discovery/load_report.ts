import type { Ping } from "../../protocol/schema.ts";
import type { LoadReport } from "./directory.ts";

/** How many clients a node may claim as its own, and how long their names may be, characters. */
const maxStickyClients = 256;
const maxNameLength = 256;

/** What a node reports of itself, at a time of the monotonic clock; a number that is none counts as the worst one. */
export function loadReport(ping: Ping, at: number): LoadReport {
  const { availability, powerReserve, mailboxBacklog, stickyClientIds } = ping;
  const names = stickyClientIds.slice(0, maxStickyClients);
  return {
    availability,
    powerReserve: Number.isFinite(powerReserve) ? powerReserve : 0,
    backlog: Number.isFinite(mailboxBacklog) ? Math.min(1, Math.max(0, mailboxBacklog)) : 1,
    at,
    ...(names.length > 0 && {
      stickyClients: new Set(names.filter(({ length }) => length <= maxNameLength)),
    }),
  };
}
