import type { Context } from "hono";
import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import type { RequestContext, Socket } from "../../ports/sockets.ts";
import { codecOf } from "../../protocol/actors/codecs.ts";
import { ConnectionSocket } from "./connection_socket.ts";
import type { GatewayRequest } from "./gateway_target.ts";
import { type Offer, readOffer, readParams, readResume } from "./subprotocols.ts";

/** Largest message of a WebSocket, bytes; what an actor takes is less, and says so by a reason that clients understand. */
export const maxMessageBytes: number = 4 * 1024 * 1024;

/** For whom a WebSocket is, and the path and query that are the actor's own. */
export type SocketTarget = Pick<GatewayRequest, "target" | "path" | "query">;

/** Whom a client wants to connect to; may refuse it. */
export interface ConnectParts {
  readonly host: () => ActorHost;
  /** @throws ActrError for an address that is none, or a token that is wrong. */
  readonly target: (offer: Offer) => SocketTarget;
}

/**
 * Takes a client's WebSocket. Whatever is wrong is told on it: a client that is answered with an HTTP status gives up
 * without learning why (`spec/actor-client.md` §10.1).
 */
export function connectClient(
  c: Context<{ Bindings: RequestContext }>,
  { host, target }: ConnectParts,
): Response {
  const { upgrade } = c.env;
  if (upgrade === undefined) return c.text("this is a WebSocket", 426, { upgrade: "websocket" });
  const offer = readOffer(c.req.raw);
  const options = { maxMessageBytes, ...(offer.chosen && { protocol: offer.chosen }) };
  return upgrade(options, (socket) => void open(socket, offer, { host, target }));
}

async function open(socket: Socket, offer: Offer, { host, target }: ConnectParts): Promise<void> {
  const codec = codecOf(offer.encoding);
  if (codec === undefined) {
    return socket.close(1003, "actor.unsupported_websocket_encoding");
  }
  let connection: ConnectionSocket | undefined;
  try {
    const actors = host();
    const aim = target(offer);
    if (aim.path !== "/connect") {
      throw new ActrError("actor.not_configured", `there is no WebSocket at ${aim.path || "/"}`);
    }
    const wanted = readResume(offer);
    const line = wanted && actors.client(wanted.connectionId)?.sink;
    if (wanted && line instanceof ConnectionSocket && line.resume(socket, codec, wanted)) return;
    connection = new ConnectionSocket(socket, codec, offer.resume !== undefined);
    await connection.open(actors, { target: aim.target, params: () => readParams(offer) });
  } catch (error) {
    connection ??= new ConnectionSocket(socket, codec);
    connection.refuse(ActrError.from(error));
  }
}
