import { type IncomingMessage, STATUS_CODES } from "node:http";
import process from "node:process";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type {
  HttpOptions,
  RequestContext,
  Socket,
  UpgradeOptions,
} from "../../src/ports/sockets.ts";
import { Frames } from "./frames.ts";
import { WsSocket } from "./ws_socket.ts";

interface Accepted {
  readonly options: UpgradeOptions;
  readonly onSocket: (socket: Socket) => void;
}

/** Upgrade requests of one server: each asks the application first and is answered with what it says. */
export class Upgrades {
  readonly #fetch: HttpOptions["fetch"];
  /** On Bun `ws` is the runtime's own, and the connection is not what it writes to. */
  readonly #frames = "bun" in process.versions ? undefined : new Frames();
  readonly #streams = new Set<Duplex>();
  /** One per message limit, since `ws` knows the limit per server only. */
  readonly #servers = new Map<number, WebSocketServer>();
  /** Subprotocols that the application has selected. */
  readonly #protocols = new WeakMap<IncomingMessage, string>();

  constructor(fetch: HttpOptions["fetch"]) {
    this.#fetch = fetch;
  }

  /** Passes the request to the application; hands over a socket when it accepts, writes its response when not. */
  async answer(incoming: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const gone = this.#track(stream);
    let accepted: Accepted | undefined;
    const context = requestContext(incoming, (options, onSocket) => {
      accepted = { options, onSocket };
      return new Response(null);
    });
    const response = await this.#ask(incoming, gone, context);
    if (gone.aborted) return;
    if (accepted !== undefined) this.#accept(incoming, stream, head, accepted);
    else await refuse(stream, response);
  }

  /** Drops every connection, also those that the application has not answered yet. */
  destroy(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #track(stream: Duplex): AbortSignal {
    const gone = new AbortController();
    this.#streams.add(stream);
    stream.on("error", () => stream.destroy());
    stream.once("close", () => {
      this.#streams.delete(stream);
      gone.abort();
    });
    return gone.signal;
  }

  async #ask(
    incoming: IncomingMessage,
    signal: AbortSignal,
    context: RequestContext,
  ): Promise<Response> {
    try {
      const url = `http://${incoming.headers.host ?? "localhost"}${incoming.url ?? "/"}`;
      const request = new Request(url, { headers: headersOf(incoming), signal });
      return await this.#fetch(request, context);
    } catch (error) {
      return new Response(null, { status: error instanceof TypeError ? 400 : 500 });
    }
  }

  #accept(incoming: IncomingMessage, stream: Duplex, head: Buffer, accepted: Accepted): void {
    const { maxMessageBytes, protocol } = accepted.options;
    if (protocol !== undefined) this.#protocols.set(incoming, protocol);
    const server = this.#server(maxMessageBytes);
    server.handleUpgrade(incoming, stream, head, (ws) =>
      accepted.onSocket(new WsSocket(ws, stream, this.#frames)),
    );
  }

  #server(maxPayload: number): WebSocketServer {
    const known = this.#servers.get(maxPayload);
    if (known !== undefined) return known;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: (_offered, request) => this.#protocols.get(request) ?? false,
      maxPayload,
    });
    this.#servers.set(maxPayload, server);
    return server;
  }
}

function requestContext(
  incoming: IncomingMessage,
  upgrade: NonNullable<RequestContext["upgrade"]>,
): RequestContext {
  const remoteAddress = incoming.socket.remoteAddress ?? "";
  const asksForWebSocket = incoming.headers.upgrade?.toLowerCase() === "websocket";
  return asksForWebSocket ? { remoteAddress, upgrade } : { remoteAddress };
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return headers;
}

/** Writes a plain HTTP response to a connection that asked for an upgrade, and ends it. */
async function refuse(stream: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const head = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`];
  for (const [name, value] of response.headers) head.push(`${name}: ${value}`);
  head.push(`content-length: ${body.length}`, "connection: close", "", "");
  stream.write(head.join("\r\n"));
  stream.end(body);
}
