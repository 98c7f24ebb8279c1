import type { ConnectOptions, Sockets } from "../../src/ports/sockets.ts";
import { openSocket } from "../global_connect.ts";

/**
 * Sockets over the browser's WebSocket, client alone. It shows no reason of a refused upgrade, cannot stop reading,
 * ping or drop a connection, and sends no headers: these travel in the query, which servers must keep out of their logs.
 */
export function browserSockets(): Sockets {
  return {
    name: "browser",
    capabilities: { status: false, drops: false, pauses: false, headers: false },
    connect: (url, options) => openSocket(url, options, () => start(url, options)),
  };
}

function start(url: string, { headers = {}, protocols = [] }: ConnectOptions): WebSocket {
  return new WebSocket(withQuery(url, headers), [...protocols]);
}

function withQuery(url: string, headers: NonNullable<ConnectOptions["headers"]>): string {
  const names = Object.keys(headers);
  if (names.length === 0) return url;
  const query = names.map((name) => [name.toLowerCase(), headers[name] ?? ""]);
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(query)}`;
}
