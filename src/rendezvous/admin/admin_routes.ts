import { type Context, Hono, type Next } from "hono";
import { ActrError } from "../../errors.ts";
import { equalBytes, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { TokenBucket } from "../../token_bucket.ts";
import type { RendezvousEnv } from "../ais/ais_routes.ts";
import { bodyRefusal } from "../body_refusal.ts";
import { Admin, type AdminParts } from "./admin.ts";
import { readFields } from "./admin_body.ts";
import { addPackageRoutes } from "./package_routes.ts";

type AdminContext = Context<RendezvousEnv & { Variables: { admin: Admin } }>;

const maxHeaderLength = 1024;
const nodesPerPage = 1000;
/** Refused requests that are answered at once, and per second; beyond, the answer is 429. */
const refusals = { burst: 20, perSecond: 1 };

/** `/admin/*`: what operators ask and do, JSON both ways, for who sends the token as `authorization: Bearer TOKEN`. */
export function adminRoutes(parts: AdminParts, token: string): Hono<RendezvousEnv> {
  const app = new Hono<RendezvousEnv & { Variables: { admin: Admin } }>();
  const { clock, log } = parts.ais;
  const bucket = new TokenBucket(refusals.burst, refusals.perSecond, clock.monotonic());

  app.use("*", async (c, next) => await guard(c, next));
  app.onError((error, c) => failed(c, error));

  app.get("/realms", (c) => c.json({ realms: c.var.admin.realms() }));
  app.post("/realms", async (c) => {
    const kinds = { id: "number", name: "string", secret: "secret", expiresAt: "number" } as const;
    return c.json(await c.var.admin.createRealm(await readFields(c, kinds)), 201);
  });
  app.post("/realms/:id{[0-9]+}/rotate", async (c) => {
    const how = await readFields(c, { secret: "string", graceMs: "number" } as const);
    return c.json(await c.var.admin.rotateRealmSecret(Number(c.req.param("id")), how));
  });
  app.post("/realms/:id{[0-9]+}/enable", async (c) =>
    c.json({ realm: await c.var.admin.enableRealm(Number(c.req.param("id")), true) }),
  );
  app.post("/realms/:id{[0-9]+}/disable", async (c) =>
    c.json({ realm: await c.var.admin.enableRealm(Number(c.req.param("id")), false) }),
  );

  app.get("/keys", (c) => c.json({ keys: c.var.admin.keys() }));
  app.post("/keys/rotate", async (c) => {
    const how = await readFields(c, { inMs: "number" } as const);
    return c.json({ key: await c.var.admin.rotateKey(how) }, 201);
  });
  app.post("/keys/:id{[0-9]+}/revoke", async (c) => {
    await c.var.admin.revokeKey(Number(c.req.param("id")));
    return c.json({ revoked: Number(c.req.param("id")) });
  });

  app.get("/nodes", (c) => {
    const { type, after, limit = String(nodesPerPage) } = c.req.query();
    const count = Math.min(nodesPerPage, Math.max(1, Math.trunc(Number(limit)) || nodesPerPage));
    return c.json({ nodes: c.var.admin.nodes({ type, after, limit: count }) });
  });
  app.post("/nodes/kick", async (c) => {
    const { id, reason = "an operator ended this connection" } = await readFields(c, {
      id: "string",
      reason: "string",
    } as const);
    if (id === undefined) throw new ActrError("invalid_argument", "id is missing");
    c.var.admin.kick(id, reason.slice(0, 100));
    return c.json({ kicked: id });
  });
  addPackageRoutes(app);
  app.get("/servers", (c) => c.json({ servers: c.var.admin.servers() }));
  app.all("*", (c) => c.json(noSuchRoute, 404));
  return app as unknown as Hono<RendezvousEnv>;

  /** Lets nobody pass without the token; compares digests, so that the time taken tells nothing of it. */
  async function guard(c: AdminContext, next: Next): Promise<Response | undefined> {
    const { remoteAddress: address } = c.env;
    if (await isToken(c.req.header("authorization"), token)) {
      c.set("admin", new Admin(parts, log.with({ address })));
      await next();
      return undefined;
    }
    if (!bucket.take(clock.monotonic())) return c.json(tooOften, 429, { "retry-after": "1" });
    log.warn("rendezvous.audit.refused", { address, path: c.req.path });
    return c.json(unauthorized, 401, { "www-authenticate": "Bearer" });
  }

  function failed(c: Context, error: unknown): Response {
    const { code, message, details } = ActrError.from(error);
    const status = bodyRefusal(error)?.status ?? statusOf(code, details?.["reason"]);
    if (status < 500) return c.json({ error: { code, message } }, status);
    log.error("rendezvous.admin.failed", { error_code: code, reason: message });
    return c.json(
      { error: { code, message: "the server could not do this; see its log" } },
      status,
    );
  }
}

const unauthorized = {
  error: { code: "permission_denied", message: "send the token: authorization: Bearer TOKEN" },
};
const noSuchRoute = { error: { code: "not_found", message: "no such route" } };
const tooOften = { error: { code: "overloaded", message: "too many wrong tokens; wait a second" } };

async function isToken(header: string | undefined, token: string): Promise<boolean> {
  const given = /^Bearer +(\S+)$/i.exec(header?.slice(0, maxHeaderLength) ?? "")?.[1] ?? "";
  const [one, other] = await Promise.all([sha256(utf8(given)), sha256(utf8(token))]);
  return equalBytes(one, other);
}

function statusOf(code: string, reason: unknown): 400 | 404 | 409 | 500 | 503 {
  if (code === "not_found") return 404;
  if (code === "invalid_argument") return reason === "exists" ? 409 : 400;
  return code === "storage" || code === "overloaded" ? 503 : 500;
}
