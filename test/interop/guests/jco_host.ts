import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { guestFault } from "../../../src/guest/fault.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestHost,
  GuestImage,
  GuestInstance,
  HostAnswer,
  HostCall,
  HostCalls,
  Invocation,
} from "../../../src/ports/guest_host.ts";
import { root } from "../../tools/root.ts";
import {
  fromChunk,
  fromDestination,
  fromError,
  fromId,
  isVariant,
  type JcoChunk,
  type JcoDestination,
  type JcoId,
  type JcoVariant,
  toChunk,
  toError,
  toErrorEvent,
  toId,
  toInvocation,
  toPeerEvent,
} from "./jco_values.ts";

const library = join(
  root,
  "test/tools/jco/node_modules/@bytecodealliance/jco-transpile/dist/index.js",
);

/** Why jco cannot run a component of async functions here, if it cannot: it needs JavaScript promise integration. */
export const jcoIsMissing: string | undefined = !existsSync(library)
  ? "jco is not here: npm install --no-save --prefix test/tools/jco brings it"
  : "Suspending" in WebAssembly
    ? undefined
    : "this runtime has no WebAssembly.Suspending, which jco needs";

type Exports = Readonly<Record<string, (...values: unknown[]) => Promise<unknown>>>;

interface Transpiled {
  instantiate(
    core: (path: string) => WebAssembly.Module,
    imports: Record<string, unknown>,
  ): Promise<Record<string, Exports>>;
}

/** Components run by jco, behind our port: an oracle for the same guest. It keeps no limits. */
export const jcoHost: GuestHost = {
  async load({ binary }): Promise<GuestImage> {
    const { transpileBytes } = await import(pathToFileURL(library).href);
    const options = { name: "guest", instantiation: "async", asyncMode: "jspi" };
    const { files } = await transpileBytes(binary, options);
    const folder = mkdtempSync(join(tmpdir(), "roost-jco-"));
    writeFileSync(join(folder, "guest.mjs"), files["guest.js"]);
    const module: Transpiled = await import(pathToFileURL(join(folder, "guest.mjs")).href);
    rmSync(folder, { recursive: true });
    const cores = new Map<string, WebAssembly.Module>();
    for (const [path, bytes] of Object.entries(files)) {
      if (path.endsWith(".wasm"))
        cores.set(path, await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>));
    }
    return {
      async instantiate(calls) {
        const host = hostOf(calls);
        const exports = await module.instantiate((path) => cores.get(path) as WebAssembly.Module, {
          "actr:workload/host": host,
          "actr:workload/host@0.2.0": host,
        });
        return new JcoInstance(exports["workload"] as Exports);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

/** The imports of a guest, as jco calls them. */
function hostOf(calls: HostCalls): Record<string, (...values: never[]) => Promise<unknown>> {
  const ask = async (call: HostCall): Promise<unknown> => resultOf(await calls(call));
  const toCall =
    (name: "call" | "tell") =>
    (token: bigint, target: JcoDestination, routeKey: string, payload: Uint8Array) =>
      ask({ name, token, target: fromDestination(target), routeKey, payload });
  return {
    call: toCall("call"),
    tell: toCall("tell"),
    callRaw: (token: bigint, target: JcoId, routeKey: string, payload: Uint8Array) =>
      ask({ name: "call-raw", token, target: fromId(target), routeKey, payload }),
    discover: async (token: bigint, type: JcoId["type"]) =>
      toId((await ask({ name: "discover", token, type })) as never),
    registerStream: (token: bigint, streamId: string) =>
      ask({ name: "register-stream", token, streamId }),
    unregisterStream: (token: bigint, streamId: string) =>
      ask({ name: "unregister-stream", token, streamId }),
    sendDataChunk: (token: bigint, target: JcoDestination, chunk: JcoChunk, lane: JcoVariant) =>
      ask({
        name: "send-data-chunk",
        token,
        target: fromDestination(target),
        chunk: fromChunk(chunk),
        lane: lanes.indexOf(lane.tag) as never,
      }),
    logMessage: (token: bigint, level: string, message: string) =>
      ask({ name: "log-message", token, level, message }),
  };
}

const lanes = [
  "rpc-reliable",
  "rpc-signal",
  "stream-reliable",
  "stream-latency-first",
  "media-rtp",
];

function resultOf(answer: HostAnswer): unknown {
  if ("error" in answer) throw toError(answer.error);
  return answer.ok;
}

class JcoInstance implements GuestInstance {
  readonly memoryBytes = 1;
  readonly #exports: Exports;

  constructor(exports: Exports) {
    this.#exports = exports;
  }

  async enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome> {
    const name = entry.name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    try {
      const ok = await this.#exports[name]?.(...argumentsOf(entry), toInvocation(invocation));
      return { ok: ok instanceof Uint8Array ? ok : undefined };
    } catch (error) {
      const thrown = error instanceof Error && "payload" in error ? error.payload : error;
      if (isVariant(thrown)) return { error: fromError(thrown) };
      throw guestFault("trapped", String(error), error);
    }
  }

  discard(): void {}
}

function argumentsOf(entry: GuestEntry): unknown[] {
  switch (entry.name) {
    case "dispatch":
      return [entry.envelope];
    case "on-error":
      return [toErrorEvent(entry.event)];
    case "on-data-chunk":
      return [toChunk(entry.chunk), toId(entry.sender)];
    case "on-credential-renewed":
    case "on-credential-expiring":
      return [entry.event];
    case "on-mailbox-backpressure":
      return [{ queueLen: entry.event.queueLength, threshold: entry.event.threshold }];
    default:
      return "event" in entry ? [toPeerEvent(entry.event)] : [];
  }
}
