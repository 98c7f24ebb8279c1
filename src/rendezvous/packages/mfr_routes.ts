import type { Context, Hono, MiddlewareHandler } from "hono";
import { ActrError } from "../../errors.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import { readBody } from "../../read_body.ts";
import type { Ais } from "../ais/ais.ts";
import type { RendezvousEnv } from "../ais/ais_routes.ts";
import { bodyRefusal } from "../body_refusal.ts";
import { parseObject, publish, readPublication } from "./publish.ts";
import { publishNonce } from "./publish_nonce.ts";

/** Adds the registry of manufacturers and packages, JSON both ways (`spec/protocol.md` §15). */
export function addManufacturerRoutes(
  app: Hono<RendezvousEnv>,
  ais: Ais,
  limited: MiddlewareHandler<RendezvousEnv>,
): void {
  app.get("/mfr/:name/verifying_key", limited, async (c) => {
    const key = await ais.manufacturers.publicKey(c.req.param("name"), c.req.query("key_id"));
    if (key === undefined) return c.json({ error: "no such key" }, 404);
    return c.json({ public_key: key.publicKey, key_id: key.keyId });
  });
  app.post("/mfr/pkg/nonce", limited, (c) =>
    answered(ais, c, async (body) => {
      const { manufacturer } = parseObject(body);
      const name = typeof manufacturer === "string" ? manufacturer : "";
      const known = await ais.manufacturers.publicKey(name);
      if (known === undefined) return c.json({ error: "manufacturer not found" }, 404);
      return c.json({ nonce: toBase64(await publishNonce(ais, name)) });
    }),
  );
  app.post("/mfr/pkg/publish", limited, (c) =>
    answered(ais, c, async (body) => {
      const publication = readPublication(body);
      const refusal = await publish(ais, publication);
      if (refusal !== undefined) return json(refusal.code, { error: refusal.message });
      const { manufacturer, name, version } = publication;
      const type = `${manufacturer}:${name}:${version}`;
      const id = ais.packages.list().length;
      return c.json({ id, type_str: type, status: "active" });
    }),
  );
}

/** What is wrong with a request is told; of what fails here, only that it did. */
async function answered(
  { options, clock, log }: Ais,
  c: Context<RendezvousEnv>,
  answer: (body: Uint8Array) => Promise<Response>,
): Promise<Response> {
  try {
    const maxBytes = options.limits.maxBodyBytes;
    return await answer(await readBody(c.req.raw, { maxBytes, clock }));
  } catch (error) {
    const refusal = bodyRefusal(error);
    if (refusal !== undefined) return json(refusal.status, { error: refusal.message });
    const { code, message, details } = ActrError.from(error);
    if (code === "invalid_argument") {
      return json(details?.["reason"] === "exists" ? 409 : 400, { error: message });
    }
    log.error("rendezvous.mfr.failed", { error_code: code, reason: message });
    return json(500, { error: "internal error" });
  }
}

function json(status: number, body: Readonly<Record<string, unknown>>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json" },
  });
}
