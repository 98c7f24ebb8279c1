import type { Context } from "hono";
import type { InspectionParts } from "../../host/inspection/inspection.ts";
import type { RequestContext, Socket } from "../../ports/sockets.ts";
import { InspectorSocket } from "./inspector_socket.ts";
import { type InspectorOffer, readInspectorOffer } from "./offer.ts";
import { isToken } from "./token.ts";

/** Longest message of an inspector, bytes: a state is in it. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Inspectors that may be connected to a node at once. */
const maxInspectors = 100;

/** Close codes (`spec/actor-host.md` §13.2). */
const unsupported = 1003;
const unauthorized = 1008;
const unavailable = 1013;

/** What an inspector's WebSocket needs. */
export interface InspectorConnectParts {
  /** None while the node starts, or where it has no actors. */
  readonly actors: () => InspectionParts | undefined;
  readonly token: string;
}

/** The inspectors of one node that are connected. Whatever is wrong with one is told by how it is closed. */
export class InspectorSockets {
  readonly #parts: InspectorConnectParts;
  #count = 0;

  constructor(parts: InspectorConnectParts) {
    this.#parts = parts;
  }

  /**
   * Takes the WebSocket of an inspector; undefined for a request that asks for none.
   * @param find the id of the actor to be shown.
   */
  connect(
    c: Context<{ Bindings: RequestContext }>,
    find: () => Promise<string>,
  ): Response | undefined {
    const { upgrade } = c.env;
    if (upgrade === undefined) return undefined;
    const offer = readInspectorOffer(c.req.raw);
    const options = { maxMessageBytes, ...(offer.chosen && { protocol: offer.chosen }) };
    return upgrade(options, (socket) => this.#open(socket, offer, find));
  }

  #open(socket: Socket, { codec, token }: InspectorOffer, find: () => Promise<string>): void {
    if (codec === undefined) {
      return socket.close(unsupported, "actor.unsupported_websocket_encoding");
    }
    const actors = this.#parts.actors();
    if (actors === undefined) return socket.close(unavailable, "actor.starting");
    if (this.#count >= maxInspectors) return socket.close(unavailable, "actor.overloaded");
    this.#count += 1;
    const inspector = new InspectorSocket(socket, codec, actors, () => {
      this.#count -= 1;
    });
    void isToken(token, this.#parts.token).then((isAllowed) => {
      if (isAllowed) return inspector.open(find);
      inspector.close(unauthorized, "inspector.unauthorized");
    });
  }
}
