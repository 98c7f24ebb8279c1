import { Hono } from "hono";
import type { RequestContext } from "../ports/sockets.ts";
import type { Store } from "../ports/store.ts";
import { adminRoutes } from "./admin/admin_routes.ts";
import { rendezvousMetrics } from "./admin/metrics.ts";
import type { Ais } from "./ais/ais.ts";
import { addAisRoutes, type RendezvousEnv } from "./ais/ais_routes.ts";
import { openAis, type RendezvousComponents } from "./ais/open_ais.ts";
import { Cluster, type ServerState } from "./cluster/cluster.ts";
import { addClusterRoutes } from "./cluster/cluster_routes.ts";
import { openHub } from "./hub.ts";
import { type RendezvousOptions, resolveRendezvousOptions } from "./options.ts";
import { addSignalingRoutes } from "./signaling_routes.ts";
import { SignalingServer } from "./signaling_server.ts";
import { Upkeep } from "./upkeep.ts";

const figuresHeaders = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/** State of a rendezvous in numbers. */
export interface RendezvousHealth {
  readonly status: "healthy";
  /** Signaling connections that are open here. */
  readonly connections: number;
  /** Nodes in sight, those of other servers too. */
  readonly nodes: number;
  readonly keyId: number;
  /** Of its cluster, where it is in one. */
  readonly servers?: readonly ServerState[];
}

/** The identity and signaling server of Actr nodes (`spec/protocol.md` §14). A restart on the same store orphans nobody. */
export class Rendezvous implements AsyncDisposable {
  /** HTTP and WebSocket routes, also to be mounted with `route("/", rendezvous.app)`; its environment is the RequestContext. */
  readonly app: Hono<RendezvousEnv>;
  readonly #ais: Ais;
  readonly #signaling: SignalingServer;
  readonly #cluster: Cluster | undefined;
  readonly #upkeep: Upkeep;

  private constructor(ais: Ais, cluster: Cluster | undefined, store: Store) {
    this.app = new Hono<RendezvousEnv>();
    this.#ais = ais;
    this.#cluster = cluster;
    const hub = openHub(ais, cluster);
    const signaling = new SignalingServer(hub);
    this.#signaling = signaling;
    addAisRoutes(this.app, ais, ais.options.limits.maxBodyBytes);
    addSignalingRoutes(this.app, signaling, ais);
    const upkeep = new Upkeep(ais);
    this.#upkeep = upkeep;
    if (cluster !== undefined) {
      addClusterRoutes(
        this.app,
        cluster.serve(hub, () => upkeep.refresh()),
      );
    }
    this.app.get("/health", (c) => c.json({ service: "rendezvous", ...this.health() }));
    const figures = { ais, signaling, cluster, store, startedAt: ais.clock.now() };
    this.app.get("/metrics", (c) => c.body(rendezvousMetrics(figures), 200, figuresHeaders));
    const { adminToken } = ais.options;
    if (adminToken === undefined) return;
    this.app.route("/admin", adminRoutes({ ais, hub, cluster }, adminToken));
  }

  /** Recovers keys, serials and registrations from the store; makes what a new store lacks. @throws ActrError `storage`; RangeError for a bad option. */
  static async open(
    components: RendezvousComponents,
    options: RendezvousOptions = {},
  ): Promise<Rendezvous> {
    const resolved = resolveRendezvousOptions(options);
    const cluster = resolved.cluster && (await Cluster.join(components, resolved.cluster));
    try {
      const { worker = resolved.worker } = cluster ?? {};
      const ais = await openAis(components, { ...resolved, worker });
      return new Rendezvous(ais, cluster, components.store);
    } catch (error) {
      await cluster?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Answers one HTTP request, upgrades included. */
  fetch(request: Request, context: RequestContext): Response | Promise<Response> {
    return this.app.fetch(request, context);
  }

  /** State in numbers, for health pages. */
  health(): RendezvousHealth {
    const { connections, nodes } = this.#signaling;
    const keyId = this.#ais.keys.current.keyId;
    const servers = this.#cluster && { servers: this.#cluster.list() };
    return { status: "healthy", connections, nodes, keyId, ...servers };
  }

  /** Ends every connection with 1001 and stops all timers; nodes come back to the next server. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster?.[Symbol.asyncDispose]();
    this.#signaling.close();
    await this.#upkeep[Symbol.asyncDispose]();
  }
}
