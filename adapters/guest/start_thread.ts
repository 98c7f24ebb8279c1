import { Worker as NodeWorker } from "node:worker_threads";
import type { GuestThread, StartThread, ThreadEvents } from "../../src/guest/worker/thread.ts";

const fromSource = import.meta.url.endsWith(".ts");

/** The thread's code: beside this file, or, in the built package, where the build puts entry points. */
const guestThread = new URL(
  fromSource ? "./thread_main.ts" : "../adapters/guest/thread_main.js",
  import.meta.url,
);

/** What starts threads for guests here: those of `node:worker_threads` on Node, web workers, which are several times faster there, on Deno and Bun. */
export function threadStarter(thread: URL = guestThread): StartThread {
  const isNode = !("Deno" in globalThis || "Bun" in globalThis);
  return (events) => (isNode ? startNodeThread(thread, events) : startWebThread(thread, events));
}

function startNodeThread(thread: URL, events: ThreadEvents): GuestThread {
  const worker = openNodeWorker(thread);
  worker.unref();
  worker.on("message", events.message);
  worker.on("error", events.ended);
  worker.on("exit", (code) => events.ended(new Error(`it ended with code ${code}`)));
  return {
    post: (message, moved) =>
      moved.length > 0 ? worker.postMessage(message, moved) : worker.postMessage(message),
    keepAlive: (keep) => (keep ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  };
}

/** Threads of Node do not inherit what lets it read TypeScript. */
function openNodeWorker(thread: URL): NodeWorker {
  if (!thread.pathname.endsWith(".ts")) return new NodeWorker(thread, { env: {} });
  const load = `import("tsx/esm/api").then((tsx) => (tsx.register(), import("${thread.href}")))`;
  return new NodeWorker(load, { eval: true, env: {} });
}

/** What Bun adds to workers. */
interface CountedWorker extends Worker {
  ref?(): void;
  unref?(): void;
}

function startWebThread(thread: URL, events: ThreadEvents): GuestThread {
  const worker: CountedWorker = new Worker(thread, { type: "module" });
  worker.unref?.();
  worker.onmessage = ({ data }) => events.message(data);
  worker.onerror = (error) => {
    // Otherwise Deno ends the whole process.
    error.preventDefault();
    events.ended(new Error(error.message));
  };
  worker.onmessageerror = () => events.ended(new Error("it said what cannot be read"));
  worker.addEventListener("close", () => events.ended(new Error("it ended")));
  return {
    post: (message, moved) => worker.postMessage(message, moved),
    keepAlive: (keep) => (keep ? worker.ref?.() : worker.unref?.()),
    end: () => worker.terminate(),
  };
}
