import { WebSocket } from "ws";
import type { ConnectOptions, Socket } from "../../src/ports/sockets.ts";
import { unreachable, upgradeRefused } from "../connect_error.ts";
import { WsSocket } from "./ws_socket.ts";

/** Opens a client socket with `ws`. @throws ActrError `unavailable`, or `permission_denied` after 401 and 403. */
export function connect(url: string, options: ConnectOptions): Promise<Socket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const ws = start(url, options);
    const settle = (): void => signal.removeEventListener("abort", abort);
    const fail = (error: unknown): void => {
      settle();
      reject(error);
      ws.terminate();
    };
    const abort = (): void => fail(signal.reason);
    const error = (cause: Error): void => fail(unreachable(url, cause.message, cause));
    signal.addEventListener("abort", abort, { once: true });
    // Stays after a failure, since terminating a socket that is connecting makes it emit one more error.
    ws.on("error", error);
    ws.on("unexpected-response", (_request, { statusCode = 0 }) =>
      fail(upgradeRefused(url, statusCode)),
    );
    ws.on("upgrade", ({ socket: stream }) => {
      const socket = new WsSocket(ws, stream);
      ws.on("open", () => {
        settle();
        ws.off("error", error);
        resolve(socket);
      });
    });
  });
}

function start(
  url: string,
  { headers, protocols = [], maxMessageBytes }: ConnectOptions,
): WebSocket {
  try {
    return new WebSocket(url, [...protocols], {
      headers: { ...headers },
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
    });
  } catch (cause) {
    throw unreachable(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
}
