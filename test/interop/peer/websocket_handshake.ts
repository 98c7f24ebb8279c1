import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { readHead } from "./http.ts";
import { WebSocketEnd } from "./websocket.ts";

/** A server answered an upgrade with something else than 101. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;

  constructor(status: number, headers: ReadonlyMap<string, string>) {
    super(`the upgrade was answered ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** Opens a WebSocket with the four standard headers and `more`, and no others. @throws UpgradeRefused. */
export async function dial(
  url: string,
  more: readonly (readonly [string, string])[] = [],
): Promise<WebSocketEnd> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const socket = connect(Number(port || 80), hostname);
  const headers = [
    ["Host", host],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", randomBytes(16).toString("base64")],
    ...more,
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const { start, headers: answered, rest } = await head(socket);
  const status = Number(start.split(" ")[1]);
  if (status === 101) return new WebSocketEnd(socket, true, rest);
  socket.destroy();
  throw new UpgradeRefused(status, answered);
}

/** A WebSocket server that accepts every upgrade. */
export interface WebSocketListener extends AsyncDisposable {
  readonly port: number;
}

/** Listens on loopback; `onSocket` gets each socket with the headers of its upgrade. */
export async function listen(
  onSocket: (socket: WebSocketEnd, headers: ReadonlyMap<string, string>) => void,
): Promise<WebSocketListener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // Its end is what counts.
    socket.once("close", () => sockets.delete(socket));
    accept(socket, onSocket).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function accept(
  socket: Socket,
  onSocket: (socket: WebSocketEnd, headers: ReadonlyMap<string, string>) => void,
): Promise<void> {
  const { headers, rest } = await head(socket);
  const key = `${headers.get("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const proof = createHash("sha1").update(key).digest("base64");
  const answer = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${proof}`,
  ];
  socket.write(`${answer.join("\r\n")}\r\n\r\n`);
  onSocket(new WebSocketEnd(socket, false, rest), headers);
}

/** Reads up to the end of the head. @throws Error when the connection ends before. */
async function head(
  socket: Socket,
): Promise<{ start: string; headers: ReadonlyMap<string, string>; rest: Buffer }> {
  let received: Buffer = Buffer.alloc(0);
  return await new Promise((resolve, reject) => {
    const over = (): void => reject(new Error("the connection ended before the upgrade"));
    const data = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      const found = readHead(received);
      if (found === undefined) return;
      socket.off("data", data);
      socket.off("close", over);
      resolve({ ...found, rest: received.subarray(found.length) });
    };
    socket.on("data", data);
    socket.once("close", over);
    socket.once("error", reject);
  });
}
