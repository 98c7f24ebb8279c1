import type { Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { RequestContext } from "../ports/sockets.ts";
import { toBase64 } from "../protocol/bytes.ts";
import type { Ais } from "./ais.ts";
import { readBody } from "./body.ts";
import { register } from "./register.ts";
import { renew } from "./renew.ts";

/** What the rendezvous's HTTP application knows of a request. */
export interface RendezvousEnv {
  Bindings: RequestContext;
}

const secretHeader = "x-actrix-realm-secret";
const protobufType = "application/x-protobuf";

/** Base paths that clients use: with and without `/ais`, and with the doubled slash of 0.3.1 (`spec/protocol.md` §6). */
function paths(name: string): string[] {
  return [`/ais/${name}`, `/ais//${name}`, `/${name}`, `//${name}`];
}

/** Adds the identity service: registration, renewal and what one may ask about its keys (`spec/protocol.md` §6). */
export function addAisRoutes(app: Hono<RendezvousEnv>, ais: Ais, maxBodyBytes: number): void {
  app.use("/ais/*", cors());
  app.on("POST", paths("register"), async (c) => {
    const body = await readBody(c.req.raw, maxBodyBytes);
    if (body === undefined) return tooLarge(c, maxBodyBytes);
    return protobuf(200, await register(ais, body, c.req.header(secretHeader)));
  });
  app.on("POST", paths("renew"), async (c) => {
    const body = await readBody(c.req.raw, maxBodyBytes);
    if (body === undefined) return tooLarge(c, maxBodyBytes);
    const { status, bytes } = await renew(ais, body);
    return protobuf(status, bytes);
  });
  app.get("/ais/health", async (c) => c.json(await aisHealth(ais)));
  app.get("/ais/current-key", (c) => c.json({ status: "success", key_id: ais.keys.current.keyId }));
  app.get("/ais/signing-pubkey", (c) => {
    const { keyId, publicKey } = ais.keys.current;
    return c.json({ status: "success", key_id: keyId, pubkey: toBase64(publicKey) });
  });
}

/** The fields of the original; keys never expire here. */
async function aisHealth({ keys, registrations }: Ais): Promise<Record<string, unknown>> {
  const readable = await registrations.readable();
  const keyCache = { status: "ok", key_id: keys.current.keyId, expires_in: null };
  return {
    service: "ais",
    status: readable ? "healthy" : "degraded",
    database: readable ? "ok" : "failed",
    ks_service: "ok",
    key_cache: keyCache,
  };
}

function protobuf(status: number, bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { status, headers: { "content-type": protobufType } });
}

function tooLarge(c: Context, limit: number): Response {
  return c.text(`The body must not be longer than ${limit} bytes`, 413);
}
