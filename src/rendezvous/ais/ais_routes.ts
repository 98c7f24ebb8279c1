import type { Context, Hono, Next } from "hono";
import { cors } from "hono/cors";
import type { Logger } from "../../ports/logger.ts";
import type { RequestContext } from "../../ports/sockets.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import { readBody } from "../../read_body.ts";
import { bodyRefusal } from "../body_refusal.ts";
import { clientAddress } from "../client_address.ts";
import { addManufacturerRoutes } from "../packages/mfr_routes.ts";
import type { Ais } from "./ais.ts";
import type { AisAnswer } from "./ais_answer.ts";
import { aisHealth } from "./ais_health.ts";
import { register } from "./register.ts";
import { reissue } from "./reissue.ts";
import { renew } from "./renew.ts";

/** What the rendezvous's HTTP application knows of a request. */
export interface RendezvousEnv {
  Bindings: RequestContext;
}

type AisContext = Context<RendezvousEnv>;
type Exchange = (ais: Ais, body: Uint8Array, secret: string | undefined) => Promise<AisAnswer>;

const secretHeader = "x-actrix-realm-secret";
const protobufType = "application/x-protobuf";
/** Pages of other origins may not read these otherwise. */
const readableHeaders = ["retry-after", "x-ratelimit-after"];

/** Base paths that clients use: with and without `/ais`, and with the doubled slash of 0.3.1 (`spec/protocol.md` §6). */
function paths(name: string): string[] {
  return [`/ais/${name}`, `/ais//${name}`, `/${name}`, `//${name}`];
}

/** Adds the identity service: registration, renewal and what one may ask about its keys (`spec/protocol.md` §6). */
export function addAisRoutes(app: Hono<RendezvousEnv>, ais: Ais, maxBodyBytes: number): void {
  const { clock, log } = ais;
  app.onError((error, c) => refused(c, error, log));
  const open = cors({ origin: "*", exposeHeaders: readableHeaders });
  for (const path of ["/ais/*", "/mfr/*"]) app.use(path, open);
  const exchanges: Readonly<Record<string, Exchange>> = { register, renew, reissue };
  for (const [name, exchange] of Object.entries(exchanges)) {
    app.use(`/${name}`, open);
    app.on("POST", paths(name), limited, async (c) => {
      const body = await readBody(c.req.raw, { maxBytes: maxBodyBytes, clock });
      const answer = await exchange(ais, body, c.req.header(secretHeader));
      const { code } = answer;
      ais.tally.exchanges.add(`${name} ${code}`);
      if (code !== 200) {
        log.info("rendezvous.ais.refused", { exchange: name, status: code, address: addressOf(c) });
      }
      return protobuf(answer);
    });
  }
  app.get("/ais/health", limited, async (c) => c.json(await aisHealth(ais)));
  app.get("/ais/current-key", limited, (c) => {
    return c.json({ status: "success", key_id: ais.keys.current.keyId });
  });
  app.get("/ais/signing-pubkey", limited, (c) => {
    const { keyId, publicKey } = ais.keys.current;
    return c.json({ status: "success", key_id: keyId, pubkey: toBase64(publicKey) });
  });
  addManufacturerRoutes(app, ais, limited);

  function addressOf(c: AisContext): string {
    return clientAddress(c.req.raw, c.env, ais.options.addressHeader);
  }

  /** Lets a request pass, or tells when another try may (`spec/protocol.md` §6.6). */
  async function limited(c: AisContext, next: Next): Promise<Response | undefined> {
    const seconds = ais.addressRate.take(addressOf(c));
    if (seconds === undefined) {
      await next();
      return undefined;
    }
    return c.text(`Too Many Requests! Wait for ${seconds}s`, 429, waitHeaders(seconds));
  }
}

/** Headers that tell when another try may pass. */
export function waitHeaders(seconds: number): Record<string, string> {
  return Object.fromEntries(readableHeaders.map((name) => [name, String(seconds)]));
}

function protobuf({ status, bytes, retryAfterSeconds }: AisAnswer): Response {
  const wait = retryAfterSeconds === undefined ? {} : waitHeaders(retryAfterSeconds);
  return new Response(bytes, { status, headers: { "content-type": protobufType, ...wait } });
}

/** Tells what is wrong with a body; of what fails here, only that it did. */
function refused(c: Context<RendezvousEnv>, error: Error, log: Logger): Response {
  const refusal = bodyRefusal(error);
  if (refusal !== undefined) return c.text(refusal.message, refusal.status);
  log.error("rendezvous.request_failed", { error });
  return c.text("Internal Server Error", 500);
}
