import type { HttpOptions, HttpServer, RequestContext, Socket } from "../../src/ports/sockets.ts";
import { cannotListen } from "../connect_error.ts";
import { BunSocket } from "./bun_socket.ts";
import type { BunRuntime, BunServer, BunWebSocketOptions } from "./runtime.ts";

/** What travels from the upgrade of a request to the callbacks of its socket. */
interface Upgrade {
  readonly maxMessageBytes: number;
  readonly protocol: string;
  readonly onSocket: (socket: Socket) => void;
  socket?: BunSocket;
}

/** Serves HTTP and WebSocket upgrades on one port with `Bun.serve`. @throws ActrError `config` when the port cannot be bound. */
export async function serve(options: HttpOptions): Promise<HttpServer> {
  const server = listen(options);
  let closed: Promise<void> | undefined;
  return {
    port: server.port,
    hostname: options.hostname,
    close: () => (closed ??= server.stop(true)),
  };
}

function listen({ port, hostname, fetch }: HttpOptions): BunServer<Upgrade> {
  const { Bun } = globalThis as unknown as { readonly Bun: BunRuntime };
  try {
    return Bun.serve<Upgrade>({
      port,
      hostname,
      development: false,
      // Outside development Bun shares a taken port, and half of the connections go to the other server.
      reusePort: false,
      idleTimeout: 0,
      fetch: (request, server) => answer(fetch, request, server),
      error: () => new Response(null, { status: 500 }),
      websocket,
    });
  } catch (cause) {
    throw cannotListen(hostname, port, cause);
  }
}

/** Bun wants no response for a request that it has upgraded. */
async function answer(
  fetch: HttpOptions["fetch"],
  request: Request,
  server: BunServer<Upgrade>,
): Promise<Response | undefined> {
  let upgraded = false;
  const remoteAddress = server.requestIP(request)?.address ?? "";
  const upgrade: RequestContext["upgrade"] = ({ maxMessageBytes, protocol = "" }, onSocket) => {
    upgraded = server.upgrade(request, {
      data: { maxMessageBytes, protocol, onSocket },
      // An empty value sends no header; without one Bun would select the first subprotocol offered.
      headers: { "sec-websocket-protocol": protocol },
    });
    return new Response(null, { status: upgraded ? 200 : 400 });
  };
  const asksForWebSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  const context = asksForWebSocket ? { remoteAddress, upgrade } : { remoteAddress };
  const response = await fetch(request, context);
  return upgraded ? undefined : response;
}

/**
 * Limits are Bun's per server: messages end at 64 MiB before they are in memory, and at the socket's own limit after.
 * The buffer limit, above which Bun drops messages in silence, is out of reach: senders watch `bufferedAmount`.
 */
const websocket: BunWebSocketOptions<Upgrade> = {
  open(ws) {
    ws.binaryType = "uint8array";
    ws.data.socket = new BunSocket(ws, ws.data);
    ws.data.onSocket(ws.data.socket);
  },
  message: (ws, data) => ws.data.socket?.received(data),
  close: (ws, code, reason) => ws.data.socket?.closed(code, reason),
  pong: (ws) => ws.data.socket?.pong(),
  drain: (ws) => ws.data.socket?.drained(),
  maxPayloadLength: 64 * 1024 * 1024,
  backpressureLimit: 2 ** 30,
  idleTimeout: 0,
  sendPings: false,
  perMessageDeflate: false,
};
