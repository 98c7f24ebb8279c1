import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { HttpOptions, HttpServer } from "../../src/ports/sockets.ts";
import { cannotListen } from "../connect_error.ts";
import { Upgrades } from "./upgrades.ts";

/** Pause between two rounds of ending connections while the server closes: one that was being accepted may show only later. */
const betweenEndsMs = 50;

/** Longest wait for the runtime to say that the server is closed, milliseconds; the port is free before. */
const closeLimitMs = 2_000;

/** Serves HTTP and WebSocket upgrades on one port with `node:http`. @throws ActrError `config` when the port cannot be bound. */
export async function serve(options: HttpOptions): Promise<HttpServer> {
  const listener = getRequestListener(
    (request, { incoming }) =>
      options.fetch(request, { remoteAddress: incoming.socket?.remoteAddress ?? "" }),
    { overrideGlobalObjects: false },
  );
  const server = createServer({ noDelay: true }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  const upgrades = new Upgrades(options.fetch);
  server.on("upgrade", (incoming, stream, head) => {
    upgrades.answer(incoming, stream, head).catch(() => stream.destroy());
  });
  await listen(server, options);
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    hostname: options.hostname,
    close: () => (closed ??= close(server, upgrades)),
  };
}

function listen(server: Server, { port, hostname }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(hostname, port, cause)));
    server.listen(port, hostname, resolve);
  });
}

function close(server: Server, upgrades: Upgrades): Promise<void> {
  return new Promise((resolve) => {
    const endConnections = (): void => {
      upgrades.destroy();
      server.closeAllConnections();
    };
    const again = setInterval(endConnections, betweenEndsMs);
    const done = (): void => {
      clearInterval(again);
      clearTimeout(limit);
      resolve();
    };
    const limit = setTimeout(done, closeLimitMs);
    server.close(done);
    endConnections();
  });
}
