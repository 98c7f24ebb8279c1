import { parentPort } from "node:worker_threads";
import type { ThreadPort } from "../../src/guest/worker/thread.ts";

/** What a thread is to its web worker. */
interface WebWorkerScope {
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
}

/** How this thread speaks with the one that started it (`threadStarter`). @throws TypeError outside of such a thread. */
export function threadPort(): ThreadPort {
  if ("Deno" in globalThis || "Bun" in globalThis) return webPort();
  const port = parentPort;
  if (port === null)
    throw new TypeError("guests are served in a thread that threadStarter started");
  return {
    post: (message, moved) =>
      moved.length > 0 ? port.postMessage(message, moved) : port.postMessage(message),
    listen: (hear) => void port.on("message", hear),
  };
}

function webPort(): ThreadPort {
  const scope = globalThis as unknown as WebWorkerScope;
  return {
    post: (message, moved) => scope.postMessage(message, moved),
    listen: (hear) => {
      scope.onmessage = ({ data }) => hear(data);
    },
  };
}
