import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { readHead } from "../peer/http.ts";
import { WebSocketEnd } from "../peer/websocket.ts";

/** One request as it came. */
export interface Asked {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** What is answered; the rest is put beside it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What a listener is told. */
export interface ListenerEvents {
  asked(request: Asked): Answer;
  /** An upgrade; a status refuses it, and nothing accepts it. */
  upgrade(request: Asked): number | undefined;
  opened(socket: WebSocketEnd, request: Asked): void;
}

/** An HTTP server over bare TCP: one request for each connection, or a WebSocket. */
export class Listener implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #events: ListenerEvents;

  private constructor(events: ListenerEvents) {
    this.#events = events;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // Its end is what counts.
      socket.once("close", () => this.#sockets.delete(socket));
      this.#serve(socket);
    });
  }

  /** Listens on loopback. @param port 0 for any. */
  static async open(events: ListenerEvents, port = 0): Promise<Listener> {
    const listener = new Listener(events);
    listener.#server.listen(port, "127.0.0.1");
    await once(listener.#server, "listening");
    return listener;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("no port");
    return address.port;
  }

  /** Ends every connection without a word. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    const data = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      const head = readHead(received);
      if (head === undefined) return;
      const length = Number(head.headers.get("content-length") ?? 0);
      if (received.length < head.length + length) return;
      socket.off("data", data);
      const [method = "", target = ""] = head.start.split(" ");
      const body = received.subarray(head.length, head.length + length);
      const request = { method, target, headers: head.headers, body };
      if (head.headers.has("upgrade")) {
        this.#upgrade(socket, request, received.subarray(head.length));
      } else answer(socket, this.#events.asked(request));
    };
    socket.on("data", data);
  }

  #upgrade(socket: Socket, request: Asked, early: Buffer): void {
    const refused = this.#events.upgrade(request);
    if (refused !== undefined) return answer(socket, { status: refused });
    const key = `${request.headers.get("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const proof = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof}\r\n\r\n`,
    );
    this.#events.opened(new WebSocketEnd(socket, false, early), request);
  }
}

function answer(socket: Socket, { status, headers = {}, body = new Uint8Array(0) }: Answer): void {
  const all = { ...headers, "content-length": `${body.length}`, connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Answer\r\n${lines.join("")}\r\n`);
  socket.end(body);
}
