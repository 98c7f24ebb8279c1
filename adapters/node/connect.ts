import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { ActrError } from "../../src/errors.ts";
import type { ConnectOptions, Socket } from "../../src/ports/sockets.ts";
import { WsSocket } from "./ws_socket.ts";

/** Opens a client socket with `ws`. @throws ActrError `unavailable`, or `permission_denied` after 401 and 403. */
export function connect(url: string, options: ConnectOptions): Promise<Socket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const ws = new WebSocket(url, {
      headers: { ...options.headers },
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: false,
    });
    const fail = (error: unknown): void => {
      signal.removeEventListener("abort", abort);
      reject(error);
      ws.terminate();
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    // Terminating a socket that is still connecting makes it emit one more error: this listener stays for it.
    ws.on("error", (cause) => fail(unreachable(url, cause)));
    ws.on("unexpected-response", (_request, response) => fail(refused(url, response)));
    ws.on("upgrade", ({ socket }) => {
      const opened = new WsSocket(ws, socket as Duplex);
      ws.on("open", () => {
        signal.removeEventListener("abort", abort);
        resolve(opened);
      });
    });
  });
}

function unreachable(url: string, cause: Error): ActrError {
  return new ActrError(
    "unavailable",
    `cannot connect to ${withoutSecrets(url)}: ${cause.message || String((cause as NodeJS.ErrnoException).code)}`,
    { cause },
  );
}

function refused(url: string, { statusCode: status = 0 }: IncomingMessage): ActrError {
  const code = status === 401 || status === 403 ? "permission_denied" : "unavailable";
  return new ActrError(code, `${withoutSecrets(url)} answered the upgrade with ${status}`, {
    details: { status },
  });
}

/** The query may hold a credential: errors are printed. */
function withoutSecrets(url: string): string {
  return url.replace(/\?.*$/, "");
}
