import { Hono } from "hono";
import type { InspectionParts } from "../host/inspection/inspection.ts";
import { StoreInspector } from "../inspector/store_inspector.ts";
import { nodeHealth, notReadyReasons } from "../node/health.ts";
import type { Node } from "../node/node.ts";
import type { RequestContext } from "../ports/sockets.ts";
import { actorRoutes } from "./actors/actor_routes.ts";
import { inspectApp } from "./inspect.ts";
import { InspectorSockets } from "./inspector/connect.ts";
import { GatewayInspector, type GatewayInspectorParts } from "./inspector/gateway.ts";
import { metricsText } from "./metrics.ts";

/** Answers a request, or upgrades it. */
export type Fetch = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** What the HTTP endpoint shows. */
export interface HttpAppParts {
  /** The node, once it has begun; none while it starts, or where only a rendezvous is served. */
  readonly node: () => Node | undefined;
  /** Takes the upgrade requests of direct-connect peers. */
  readonly acceptPeer: () => Fetch | undefined;
  /** An embedded rendezvous: `/ais/*`, `/signaling/*`. */
  readonly rendezvous?: Fetch;
  /** The application's own part of the port: what none of the above has a page for. */
  readonly application?: Fetch;
  /** Opens `/inspect/*` to who sends it; without one there is no `/inspect`. */
  readonly inspectToken?: string;
  /** Opens the actors to who sends it; without one they are open to whoever reaches the port. */
  readonly actorToken?: string;
  /** Name and version of the runtime. */
  readonly runtime: string;
}

/** Marks a dial of a peer, as against a signaling client; in the headers or, from a browser, in the query. */
const peerHeader = "x-actr-source-id";

/** Everything on a node's one port. Where no actors are hosted, their paths are the application's. */
export function httpApp(parts: HttpAppParts): Fetch {
  const withActors = pages(parts, { actors: true });
  const without = pages(parts, { actors: false });
  return (request, context) => {
    const hostsActors = parts.node()?.actors.names.length !== 0;
    return (hostsActors ? withActors : without).fetch(request, context);
  };
}

/** @param actors whether those of the actors are among them. */
function pages(
  parts: HttpAppParts,
  { actors }: { readonly actors: boolean },
): Hono<{ Bindings: RequestContext }> {
  const app = new Hono<{ Bindings: RequestContext }>();
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/readyz", (c) => {
    const reasons = reasonsOf(parts.node());
    return reasons.length === 0 ? c.text("ready") : c.json({ ready: false, reasons }, 503);
  });
  app.get("/health", async (c) => {
    const node = parts.node();
    if (node === undefined) return c.json({ runtime: parts.runtime, phase: "starting" }, 503);
    return c.json({ runtime: parts.runtime, ...(await nodeHealth(node)) });
  });
  app.get("/metrics", (c) => {
    const node = parts.node();
    const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
    return c.body(node === undefined ? "" : metricsText(node), 200, headers);
  });
  const inspected = inspectedParts(parts);
  if (inspected !== undefined) {
    const inspector = (): StoreInspector | undefined => inspectorOf(parts.node());
    app.route("/inspect", inspectApp({ inspector, ...inspected }));
  }
  if (actors) {
    const routes = actorRoutes({
      host: () => parts.node()?.actors,
      log: () => parts.node()?.components.log,
      ...(inspected && { inspector: new GatewayInspector(inspected) }),
      ...(parts.actorToken && { token: parts.actorToken }),
    });
    // The longer one first: what is at "/" takes all below "/actors" for its own.
    for (const path of ["/actors", "/"]) app.route(path, routes);
  }
  app.get("/ws", (c) => takePeer(parts, c.req.raw, c.env));
  app.get("/", (c) => {
    const dials = (c.req.header(peerHeader) ?? c.req.query(peerHeader)) !== undefined;
    if (c.env.upgrade !== undefined && dials) {
      return takePeer(parts, c.req.raw, c.env);
    }
    return elsewhere(parts, c.req.raw, c.env);
  });
  app.all("*", (c) => elsewhere(parts, c.req.raw, c.env));
  return app;
}

function inspectorOf(node: Node | undefined): StoreInspector | undefined {
  if (node === undefined) return undefined;
  const { components, inbound } = node;
  const { clock, store, actorStore } = components;
  const { redriver } = inbound;
  return new StoreInspector({
    ...{ clock, store, actorStore, redriver },
    status: () => inbound.mailbox.status(),
  });
}

/** What every way to look at actors shares; undefined where nobody may. */
function inspectedParts({
  node,
  inspectToken: token,
}: HttpAppParts): GatewayInspectorParts | undefined {
  if (token === undefined) return undefined;
  const shared = { actors: () => actorsOf(node()), token };
  return { ...shared, sockets: new InspectorSockets(shared) };
}

function actorsOf(node: Node | undefined): InspectionParts | undefined {
  if (node?.actors === undefined) return undefined;
  const { clock, log, store, actorStore = store } = node.components;
  return { host: node.actors, clock, log, store: actorStore };
}

function reasonsOf(node: Node | undefined): string[] {
  return node === undefined ? ["node is starting"] : notReadyReasons(node);
}

function takePeer(
  { acceptPeer }: HttpAppParts,
  request: Request,
  context: RequestContext,
): Response | Promise<Response> {
  const accept = acceptPeer();
  if (accept === undefined) {
    return new Response("this node does not listen yet", {
      status: 503,
      headers: { "retry-after": "1" },
    });
  }
  return accept(request, context);
}

async function elsewhere(
  { rendezvous, application }: HttpAppParts,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const answer = await rendezvous?.(request, context);
  if (answer !== undefined && (answer.status !== 404 || application === undefined)) return answer;
  return (await application?.(request, context)) ?? new Response("not found", { status: 404 });
}
