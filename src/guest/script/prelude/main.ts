import type { Workload } from "../author.ts";
import { bufferWith, bytesOf, exactBuffer, isBytes } from "./bytes.ts";
import { Calls } from "./calls.ts";
import { type ContextText, EntryContext } from "./context.ts";
import { describe, errorText } from "./errors.ts";
import { globals } from "./globals.ts";
import { parse } from "./json.ts";
import type { Entrances, Native, NativeList } from "./native.ts";
import {
  errorEvent,
  type FailureText,
  type IdText,
  id,
  type PeerText,
  peerEvent,
  type TimeText,
  time,
} from "./shapes.ts";

interface ChunkText {
  readonly streamId: string;
  readonly sequence: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly timestampMs?: string;
  readonly sender: IdText;
}

const empty = new Uint8Array(0);

/** Runs the handler of one entry with what the text says. */
type Handler = (
  workload: Workload,
  data: never,
  context: EntryContext,
  payload: ArrayBuffer | undefined,
) => unknown;

const notices = [
  "onStart",
  "onReady",
  "onStop",
  "onSignalingConnecting",
  "onSignalingConnected",
  "onSignalingDisconnected",
] as const;
const links = [
  "onWebsocketConnecting",
  "onWebsocketConnected",
  "onWebsocketDisconnected",
  "onWebrtcConnecting",
  "onWebrtcConnected",
  "onWebrtcDisconnected",
] as const;
const credentials = ["onCredentialRenewed", "onCredentialExpiring"] as const;

function handlers(): Map<string, Handler> {
  const all = new Map<string, Handler>();
  const on = (name: string, handler: Handler): void => void all.set(name, handler);
  for (const name of notices) on(name, (w, _none, context) => w[name]?.(context));
  for (const name of links)
    on(name, (w, data: PeerText, context) => w[name]?.(peerEvent(data), context));
  for (const name of credentials)
    on(name, (w, at: TimeText, context) => w[name]?.({ newExpiry: time(at) }, context));
  on("onError", (w, data: FailureText, context) => w.onError?.(errorEvent(data), context));
  on("onMailboxBackpressure", (w, [length, threshold]: readonly [string, string], context) =>
    w.onMailboxBackpressure?.({ queueLen: BigInt(length), threshold: BigInt(threshold) }, context),
  );
  on(
    "onDataChunk",
    (w, { sender, sequence, metadata, timestampMs, streamId }: ChunkText, context, payload) => {
      const chunk = {
        streamId,
        sequence: BigInt(sequence),
        payload: bytesOf(payload),
        metadata: metadata.map(([key, value]) => ({ key, value })),
        ...(timestampMs !== undefined && { timestampMs: BigInt(timestampMs) }),
      };
      return w.onDataChunk?.(chunk, id(sender), context);
    },
  );
  return all;
}

/** What an entry's text says: its handler, its context, and what else it is told. */
type EntryText = readonly [string, ContextText, unknown];

/** Begins a guest: gives it its globals and the host its entrances. */
export default function begin(...natives: NativeList): Entrances {
  const [reply, fail, ask, log, encode, decode] = natives;
  const native: Native = { reply, fail, ask, log, encode, decode };
  const calls = new Calls(native);
  const others = handlers();
  let workload: Workload | undefined;

  const run = (
    name: string,
    context: ContextText,
    data: unknown,
    payload?: ArrayBuffer,
  ): unknown => {
    if (workload === undefined) throw new TypeError("the script never called defineWorkload");
    const live = new EntryContext(calls, context);
    if (name !== "dispatch") return others.get(name)?.(workload, data as never, live, payload);
    const { requestId } = live;
    return workload.dispatch(
      { requestId, routeKey: data as string, payload: bytesOf(payload) },
      live,
    );
  };
  const end = (entry: number, name: string, result: unknown): void => {
    if (name !== "dispatch") native.reply(entry);
    else native.reply(entry, exactBuffer(result ?? empty, "what dispatch returns"));
  };
  const later = async (entry: number, name: string, result: unknown): Promise<void> => {
    try {
      end(entry, name, await result);
    } catch (thrown) {
      native.fail(entry, errorText(thrown));
    }
  };
  const enter = (entry: number, what: string, payload?: ArrayBuffer): void => {
    try {
      // An interpreter goes through an iterator to take an array apart.
      const text = parse(what) as EntryText;
      const name = text[0];
      const result = run(name, text[1], text[2], payload);
      if (name === "dispatch" && isBytes(result)) native.reply(entry, bufferWith(result));
      else if (typeof result === "object") void later(entry, name, result);
      else end(entry, name, result);
    } catch (thrown) {
      native.fail(entry, errorText(thrown));
    }
  };

  addGlobals({
    ...globals(native),
    defineWorkload(given: Workload): void {
      if (workload !== undefined)
        throw new TypeError("defineWorkload was called before: a script is one workload");
      if (typeof given?.dispatch !== "function")
        throw new TypeError("a workload needs a function dispatch");
      workload = given;
    },
  });
  return [
    enter,
    (call, error, value) => calls.answer(call, error, value),
    describe,
    () => (workload === undefined ? 0 : 1),
  ];
}

/** As the language's own globals are: not enumerable. */
function addGlobals(all: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(all)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
