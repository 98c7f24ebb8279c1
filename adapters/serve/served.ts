import type { Node } from "../../src/node/node.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Served } from "./options.ts";

/** The guest of a node that has one. */
function servedGuest({ guest, upgrades }: Node): Pick<Served, "guest"> {
  if (guest === undefined || upgrades === undefined) return {};
  return {
    guest: {
      get package() {
        return guest.package;
      },
      status: () => guest.status(),
      upgrade: (next, bounds) => upgrades.upgrade(next, bounds),
      rollback: (bounds) => upgrades.rollback(bounds),
    },
  };
}

/** A running node as its owner sees it; `halt` stops it. */
export function served(node: Node, { url, settings }: Endpoint, halt: AbortSignal): Served {
  const stop = (): Promise<void> => node.stop();
  if (halt.aborted) void stop();
  else halt.addEventListener("abort", () => void stop(), { once: true });
  return {
    node,
    url,
    identity: settings.aisUrl,
    context: node.context,
    stopped: node.stopped,
    stop,
    ...servedGuest(node),
    get id() {
      return node.id;
    },
    [Symbol.asyncDispose]: stop,
  };
}
