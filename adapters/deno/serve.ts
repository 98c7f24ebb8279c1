import type { HttpOptions, HttpServer, RequestContext } from "../../src/ports/sockets.ts";
import { cannotListen } from "../connect_error.ts";
import { GlobalSocket } from "../global_socket.ts";
import type { DenoRuntime, DenoServer } from "./runtime.ts";

/** Seconds after which Deno gives a silent client up, having pinged it at half of them: its sockets have no ping of their own. */
const idleTimeout = 30;

/** Serves HTTP and WebSocket upgrades on one port with `Deno.serve`. @throws ActrError `config` when the port cannot be bound. */
export async function serve(options: HttpOptions): Promise<HttpServer> {
  const stop = new AbortController();
  const sockets = new Set<GlobalSocket>();
  const server = listen(options, stop.signal, sockets);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.terminate();
    stop.abort();
    await server.finished;
  };
  let closed: Promise<void> | undefined;
  return {
    port: server.addr.port,
    hostname: options.hostname,
    close: () => (closed ??= close()),
  };
}

function listen(
  { port, hostname, fetch }: HttpOptions,
  signal: AbortSignal,
  sockets: Set<GlobalSocket>,
): DenoServer {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoRuntime };
  const serveOptions = {
    port,
    hostname,
    signal,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  };
  try {
    return Deno.serve(serveOptions, (request, info) =>
      fetch(request, requestContext(Deno, request, info.remoteAddr.hostname, sockets)),
    );
  } catch (cause) {
    throw cannotListen(hostname, port, cause);
  }
}

function requestContext(
  deno: DenoRuntime,
  request: Request,
  remoteAddress: string,
  sockets: Set<GlobalSocket>,
): RequestContext {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return { remoteAddress };
  const upgrade: RequestContext["upgrade"] = (options, onSocket) => {
    const { socket: ws, response } = deno.upgradeWebSocket(request, { idleTimeout });
    // Deno's own option takes subprotocols for not offered when a client puts no blank between them, as `ws` does.
    if (options.protocol) response.headers.set("sec-websocket-protocol", options.protocol);
    const socket = new GlobalSocket(ws, options);
    sockets.add(socket);
    ws.addEventListener("open", () => onSocket(socket));
    ws.addEventListener("close", () => sockets.delete(socket));
    return response;
  };
  return { remoteAddress, upgrade };
}
