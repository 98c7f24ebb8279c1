import type { Context, Hono, Next } from "hono";
import { Admission } from "./admission.ts";
import type { Ais } from "./ais/ais.ts";
import { type RendezvousEnv, waitHeaders } from "./ais/ais_routes.ts";
import { clientAddress } from "./client_address.ts";
import type { SignalingServer } from "./signaling_server.ts";

type SignalingContext = Context<RendezvousEnv>;

/** Adds the signaling WebSocket, at its own path and, told by the credential in the query, at the root (`spec/protocol.md` §7.1). */
export function addSignalingRoutes(
  app: Hono<RendezvousEnv>,
  server: SignalingServer,
  ais: Ais,
): void {
  const admission = new Admission(ais);
  const { maxMessageBytes } = ais.options.limits;
  // Clients keep a slash that ends the configured address (`spec/real-client.md`).
  for (const path of ["/signaling/ws", "/signaling/ws/"]) app.get(path, (c) => upgrade(c));
  app.get("/", (c, next: Next) => (c.req.query("actor_id") === undefined ? next() : upgrade(c)));
  app.get("/signaling/health", (c) => c.json(signalingHealth(server)));

  /** Proves the node before the upgrade is answered; 401 with an empty body when it cannot be. */
  async function upgrade(c: SignalingContext): Promise<Response> {
    const { upgrade: accept } = c.env;
    if (accept === undefined) return c.text("Expected a WebSocket upgrade", 426);
    const address = clientAddress(c.req.raw, c.env, ais.options.addressHeader);
    const refused = limited(address) ?? full(address);
    if (refused !== undefined) return refused;
    const arrival = await admission.admit(new URL(c.req.url).searchParams);
    if (arrival === undefined) return new Response(null, { status: 401 });
    // Others may have come while this one was checked.
    return (
      full(address) ??
      accept({ maxMessageBytes }, (socket) => server.arrived(socket, arrival, address))
    );
  }

  function limited(address: string): Response | undefined {
    const seconds = ais.addressRate.take(address);
    if (seconds === undefined) return undefined;
    return new Response(null, { status: 429, headers: waitHeaders(seconds) });
  }

  function full(address: string): Response | undefined {
    const refusal = server.refusal(address);
    return refusal && new Response(null, { status: refusal.code });
  }
}

function signalingHealth(server: SignalingServer): Record<string, unknown> {
  return { service: "signaling", status: "healthy", connections: server.connections };
}
