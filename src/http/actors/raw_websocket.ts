import type { Context } from "hono";
import { ServedSocket, serveSocket } from "../../host/connections/served_socket.ts";
import type { RequestContext } from "../../ports/sockets.ts";
import { type ConnectParts, maxMessageBytes } from "./connect.ts";
import { errorBody, failureOf } from "./error_answer.ts";
import type { ActorRouteParts } from "./route_parts.ts";
import { type Offer, readOffer, readParams } from "./subprotocols.ts";

/** Takes a client's raw WebSocket (`spec/actor-client.md` §11). Why it is refused is told as the reason of its end. */
export function connectRaw(
  c: Context<{ Bindings: RequestContext }>,
  parts: ConnectParts & Pick<ActorRouteParts, "log">,
): Response {
  const { upgrade } = c.env;
  if (upgrade === undefined) return c.text("this is a WebSocket", 426, { upgrade: "websocket" });
  const offer = readOffer(c.req.raw);
  const options = { maxMessageBytes, ...(offer.chosen && { protocol: offer.chosen }) };
  return upgrade(options, (socket) => {
    const served = new ServedSocket(socket);
    serve(served, offer, c.req.raw, parts).catch((error: unknown) => {
      const { group, code } = errorBody(failureOf(error, parts));
      served.cut(`${group}.${code}`);
    });
  });
}

/** The actor sees the path with its `/websocket`, as RivetKit's does. */
async function serve(
  socket: ServedSocket,
  offer: Offer,
  raw: Request,
  { host, target }: ConnectParts,
): Promise<void> {
  const { target: whom, path, query } = target(offer);
  const params = readParams(offer);
  const instance = await host().wake(whom);
  const { origin } = new URL(raw.url);
  const request = new Request(`${origin}${path}${query}`, { headers: headersOf(raw) });
  await serveSocket(instance, socket, { request, params });
}

/** Without those of the handshake, which hold the token. */
function headersOf({ headers }: Request): Headers {
  const rest = new Headers(headers);
  for (const name of [...rest.keys()]) if (name.startsWith("sec-websocket-")) rest.delete(name);
  return rest;
}
