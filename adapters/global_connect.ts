import type { ConnectOptions, Socket } from "../src/ports/sockets.ts";
import { subprotocolRefused, unreachable, upgradeRefused } from "./connect_error.ts";
import { GlobalSocket, type GlobalWebSocket } from "./global_socket.ts";

/** Deno and Bun take headers beside the URL; browsers know no such thing. */
type GlobalConstructor = new (
  url: string,
  options: Required<Pick<ConnectOptions, "headers" | "protocols">>,
) => GlobalWebSocket;

/** Opens a client socket with the WebSocket of Deno or Bun. @throws ActrError `unavailable`; `permission_denied` where the error's text tells the status. */
export function globalConnect(url: string, options: ConnectOptions): Promise<Socket> {
  const { headers = {}, protocols = [] } = options;
  return openSocket(url, options, () => {
    return new (WebSocket as unknown as GlobalConstructor)(url, { headers, protocols });
  });
}

/** Waits until the WebSocket that `make` makes is open. @throws ActrError `unavailable`; `permission_denied` where the error's text tells the status. */
export function openSocket(
  url: string,
  { signal, maxMessageBytes, protocols = [] }: ConnectOptions,
  make: () => GlobalWebSocket,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const ws = started(url, make);
    const socket = new GlobalSocket(ws, { maxMessageBytes });
    const settled = (): void => signal.removeEventListener("abort", abort);
    const abort = (): void => {
      reject(signal.reason);
      socket.terminate();
    };
    signal.addEventListener("abort", abort, { once: true });
    ws.addEventListener("open", () => {
      settled();
      const refusal = subprotocolRefused(url, protocols, socket.protocol);
      if (refusal === undefined) return resolve(socket);
      reject(refusal);
      socket.terminate();
    });
    ws.addEventListener("error", (event) => {
      settled();
      reject(connectError(url, event));
    });
  });
}

function started(url: string, make: () => GlobalWebSocket): GlobalWebSocket {
  try {
    return make();
  } catch (cause) {
    throw unreachable(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Deno and Bun name the status in the text of the error event, and nowhere else. */
function connectError(url: string, event: Event): unknown {
  const text = "message" in event ? String(event.message) : "connection failed";
  const status = /status code: (\d{3})/.exec(text)?.[1];
  if (status !== undefined) return upgradeRefused(url, Number(status));
  return unreachable(url, text.replaceAll(url, "").trim());
}
