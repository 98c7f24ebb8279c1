import type { Hono } from "hono";
import { ActrError } from "../../errors.ts";
import type { RendezvousEnv } from "../ais/ais_routes.ts";
import type { Admin } from "./admin.ts";
import { readFields } from "./admin_body.ts";

/** Longest manifest that is published, bytes of JSON. */
const maxManifestBytes = 1024 * 1024;

/** Adds what operators ask and do about packages and who makes them. */
export function addPackageRoutes(app: Hono<RendezvousEnv & { Variables: { admin: Admin } }>): void {
  app.get("/manufacturers", (c) => c.json({ manufacturers: c.var.admin.packages.manufacturers() }));
  app.post("/manufacturers/:name/keys", async (c) => {
    const kinds = { publicKey: "string", expiresAt: "number" } as const;
    const { publicKey = "", expiresAt } = await readFields(c, kinds);
    const key = await c.var.admin.packages.trustKey(c.req.param("name"), publicKey, expiresAt);
    return c.json({ key }, 201);
  });
  app.post("/manufacturers/:name/keys/:keyId/revoke", async (c) => {
    const { name, keyId } = c.req.param();
    await c.var.admin.packages.revokeKey(name, keyId);
    return c.json({ revoked: keyId });
  });
  app.post("/manufacturers/:name/:state{suspend|reinstate}", async (c) => {
    const { name, state } = c.req.param();
    await c.var.admin.packages.suspend(name, state === "suspend");
    return c.json({ manufacturer: name, suspended: state === "suspend" });
  });

  app.get("/packages", (c) => c.json({ packages: c.var.admin.packages.packages() }));
  app.post("/packages", async (c) => {
    const kinds = { manifest: "string" } as const;
    const { manifest = "" } = await readFields(c, kinds, maxManifestBytes);
    return c.json({ package: await c.var.admin.packages.publish(manifest) }, 201);
  });
  app.post("/packages/revoke", async (c) => {
    const { type, target } = await readFields(c, {
      type: "string",
      target: "string",
    } as const);
    if (type === undefined || target === undefined) {
      throw new ActrError("invalid_argument", "type or target is missing");
    }
    return c.json({ package: await c.var.admin.packages.revokePackage(type, target) });
  });
}
