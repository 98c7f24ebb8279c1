import type { ActrError } from "../errors.ts";
import type { NetworkOptions } from "../options.ts";
import type { Logger } from "../ports/logger.ts";
import { NetworkActions } from "./network_actions.ts";
import { NetworkEvents } from "./network_events.ts";
import { NetworkReconciler } from "./network_reconciler.ts";
import type { NodeComponents } from "./node_components.ts";
import type { Outbound } from "./outbound.ts";
import type { Presence } from "./presence.ts";

/** What a node's network side is built from. */
export interface NodeNetworkParts {
  readonly components: NodeComponents;
  readonly presence: Presence;
  readonly outbound: Outbound;
}

/** How a node follows its network, put together: events → reconciler → actions on signaling and sessions. */
export class NodeNetwork {
  readonly events: NetworkEvents;
  readonly #log: Logger;
  readonly #reconciler: NetworkReconciler;

  constructor({ components, presence, outbound }: NodeNetworkParts, options: NetworkOptions) {
    const { clock, log, network } = components;
    const { signaling } = presence;
    const { sessions, pending } = outbound;
    const probe = (limitMs: number): Promise<boolean> => presence.probe(limitMs);
    const actions = new NetworkActions({ signaling, probe, sessions, pending });
    this.events = network ?? new NetworkEvents();
    if (network === undefined) log.debug("network_event.node.handle_created");
    this.#log = log;
    this.#reconciler = new NetworkReconciler(
      { clock, log, barrier: sessions.barrier, actions },
      options,
    );
  }

  /** Acts on what was told and what will be. */
  start(): void {
    this.#log.debug("network_event.node.loop_started");
    this.events.attach((report) => this.#reconciler.take(report));
  }

  /** Acts no more; who waits is told `reason`. Idempotent. */
  async close(reason: ActrError): Promise<void> {
    this.events.close(reason);
    await this.#reconciler.close(reason);
  }
}
