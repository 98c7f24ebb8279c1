import { type Context, Hono } from "hono";
import { ActrError } from "../../errors.ts";
import type { RequestContext } from "../../ports/sockets.ts";
import { version } from "../../version.ts";
import {
  type ActorRequest,
  answerAction,
  answerQueueSend,
  codecFor,
  refusal,
} from "./actor_requests.ts";
import { type ConnectParts, connectClient } from "./connect.ts";
import { controlApi } from "./control_api.ts";
import { failureOf } from "./error_answer.ts";
import { decoded, type GatewayRequest, readGatewayTarget } from "./gateway_target.ts";
import { answerRaw } from "./raw_http.ts";
import { connectRaw } from "./raw_websocket.ts";
import { type ActorRouteParts, hostOf, requireToken } from "./route_parts.ts";
import { type Offer, offersTarget } from "./subprotocols.ts";

type App = Hono<{ Bindings: RequestContext }>;
type AppContext = Context<{ Bindings: RequestContext }>;

/** Everything that a client of actors asks over HTTP (`spec/actor-client.md` §1), below whatever path it is put. */
export function actorRoutes(parts: ActorRouteParts): App {
  const app: App = new Hono();
  for (const path of ["/metadata", "/actors", "/actors/*", "/gateway/*"]) {
    app.options(path, (c) => preflight(c.req.raw));
    app.use(path, async (c, next) => {
      await next();
      for (const [name, value] of corsHeaders(c.req.raw)) c.header(name, value);
    });
  }
  app.get("/metadata", (c) => c.json({ runtime: "roost", version }));
  app.route("/actors", controlApi(parts));
  for (const path of ["/websocket", "/websocket/*"]) {
    app.get(path, (c, next) => {
      if (!offersTarget(c.req.raw)) return next();
      const { pathname, search } = new URL(c.req.url);
      const own = { path: pathname.slice(pathname.indexOf("/websocket")), query: search };
      return connectRaw(c, connectParts(parts, undefined, own));
    });
  }
  app.get("/connect", (c) => connectClient(c, connectParts(parts, undefined)));
  app.all("/gateway/*", (c) => gateway(parts, c, () => readRequest(c.req.raw)));
  for (const path of ["/request", "/request/*"]) {
    app.all(path, (c, next) => {
      const { raw } = c.req;
      return raw.headers.get("x-rivet-target") === "actor"
        ? gateway(parts, c, () => byHeaders(raw))
        : next();
    });
  }
  return app;
}

async function gateway(
  parts: ActorRouteParts,
  c: AppContext,
  read: () => GatewayRequest,
): Promise<Response> {
  if (c.env.upgrade !== undefined) return inspected(parts, c) ?? upgraded(parts, c);
  try {
    const request = read();
    const { target, path } = request;
    // It has a token of its own, which opens more.
    if (isBelow("/inspector", path) && parts.inspector !== undefined) {
      return await parts.inspector.answer(target, path, c.req.raw);
    }
    requireToken(parts.token, request.token ?? c.req.header("x-rivet-token"));
    return await toActor(parts, request, c);
  } catch (error) {
    return refusal(codecFor(c.req.raw), failureOf(error, parts));
  }
}

/** A WebSocket of an inspector; undefined for any other. */
function inspected({ inspector }: ActorRouteParts, c: AppContext): Response | undefined {
  const { pathname } = new URL(c.req.url);
  if (inspector === undefined || !pathname.endsWith("/inspector/connect")) return undefined;
  try {
    return inspector.connect(c, readRequest(c.req.raw).target);
  } catch {
    return undefined;
  }
}

/** A WebSocket of a client: whatever is wrong with its address is told on it. */
function upgraded(parts: ActorRouteParts, c: AppContext): Response {
  const connect = /\/gateway\/[^/]*\/websocket(\/|$)/.test(c.req.path) ? connectRaw : connectClient;
  return connect(c, connectParts(parts, c.req.raw));
}

/** @param addressed the request whose path says whom it is for; undefined when the subprotocols do. */
function connectParts(
  parts: ActorRouteParts,
  addressed: Request | undefined,
  own: Pick<GatewayRequest, "path" | "query"> = { path: "/connect", query: "" },
): ConnectParts & Pick<ActorRouteParts, "log"> {
  return {
    host: () => hostOf(parts),
    log: parts.log,
    target(offer) {
      const request =
        addressed === undefined ? { ...byOffer(offer), ...own } : readRequest(addressed);
      requireToken(parts.token, request.token ?? offer.token);
      return request;
    },
  };
}

function byOffer({ actorId, token }: Offer): Pick<GatewayRequest, "target" | "token"> {
  if (actorId === undefined) throw new ActrError("actor.invalid_request", "rivet_actor is missing");
  return { target: { id: actorId }, token };
}

function readRequest(request: Request): GatewayRequest {
  const { pathname, search } = new URL(request.url);
  return readGatewayTarget(pathname.slice(pathname.indexOf("/gateway") + 8), search);
}

/** Addressed by headers (`spec/actor-client.md` §4.4). */
function byHeaders({ url, headers }: Request): GatewayRequest {
  const id = headers.get("x-rivet-actor");
  if (id === null) throw new ActrError("actor.invalid_request", "x-rivet-actor is missing");
  const { pathname, search } = new URL(url);
  const path = pathname.slice(pathname.indexOf("/request"));
  return { target: { id }, path, query: search, token: undefined };
}

function isBelow(base: string, path: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}

async function toActor(
  parts: ActorRouteParts,
  { target, path, query }: GatewayRequest,
  c: Context,
): Promise<Response> {
  const request = { parts, target, raw: c.req.raw };
  if (isBelow("/request", path)) return await answerRaw(request, { path, query });
  const [, kind = "", name = ""] = /^\/(action|queue)\/([^/]+)$/.exec(path) ?? [];
  if (kind !== "") return await post(request, kind, decoded(name));
  switch (path) {
    case "/health":
      return c.text("ok");
    case "/metadata":
      return c.json({ runtime: "roost", version });
    default:
      throw new ActrError("actor.not_found", `there is no ${path || "/"}`, {
        details: { resource: "route", id: path },
      });
  }
}

async function post(request: ActorRequest, kind: string, name: string): Promise<Response> {
  const { method, url } = request.raw;
  if (method !== "POST") {
    throw new ActrError("actor.method_not_allowed", `${method} is no way to an ${kind}`, {
      details: { method, path: new URL(url).pathname },
    });
  }
  return kind === "action"
    ? await answerAction(request, name)
    : await answerQueueSend(request, name);
}

/** What browsers ask before they send (`spec/actor-client.md` §4.5). */
function preflight(request: Request): Response {
  const headers = new Headers(corsHeaders(request));
  headers.set("access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS, PATCH");
  const asked = request.headers.get("access-control-request-headers");
  headers.set("access-control-allow-headers", asked ?? "*");
  headers.set("access-control-max-age", "86400");
  return new Response(null, { status: 204, headers });
}

function corsHeaders(request: Request): [string, string][] {
  const origin = request.headers.get("origin");
  if (origin === null) return [];
  return [
    ["access-control-allow-origin", origin],
    ["access-control-allow-credentials", "true"],
    ["access-control-expose-headers", "*"],
  ];
}
