import { consoleLogger, silentLogger } from "../../adapters/console/console_logger.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { defineNode, type NodeOptionsInput } from "../../src/mod.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeComponents } from "../../src/node/node_components.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tracer } from "../../src/ports/tracer.ts";
import { MemoryHub } from "../../transports/memory/memory_hub.ts";
import { MemoryTransport } from "../../transports/memory/memory_transport.ts";
import { type BenchGuest, benchGuests, guestNode } from "./bench_guest.ts";
import { benchNode } from "./bench_service.ts";
import { runtimeAdapter } from "./runtime.ts";

/** How the two nodes are made. */
export interface MemoryNodesSetup {
  /** Where the callee keeps its data. @default ":memory:" */
  readonly store?: string;
  readonly options?: NodeOptionsInput;
  /** Whether everything is logged and traced, to nowhere. @default false */
  readonly observed?: boolean;
  /** Has a guest echo. @default the service in the node */
  readonly guest?: BenchGuest;
}

/** Makes every span and keeps none. */
const blindTracer: Tracer = {
  start: () => ({ context: someTrace, run: (work) => work(), end() {} }),
};
const someTrace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

/** Two nodes in this process that reach each other by the memory transport. */
export interface MemoryNodes extends AsyncDisposable {
  readonly caller: Node;
  readonly callee: Node;
  /** The callee's. */
  readonly store: Store;
}

/** Starts both at a rendezvous of their own on loopback, which no call passes. */
export async function memoryNodes(setup: MemoryNodesSetup): Promise<MemoryNodes> {
  const { runtime, rendezvous } = await runtimeAdapter();
  const [clock, random] = [systemClock(), systemRandom()];
  const { observed = false } = setup;
  const log = observed
    ? consoleLogger({ level: "trace", format: "json", write: () => {} })
    : silentLogger();
  const server = await rendezvous({ port: 0, hostname: "127.0.0.1", log });
  const hub = new MemoryHub(clock);
  const never = new AbortController().signal;
  const open = (url: string): Promise<Store> => openStore(url, { clock, random }, never);
  const stores = [await open(setup.store ?? ":memory:"), await open(":memory:")] as const;
  const shared = {
    ...{ clock, random, log, sockets: runtime.sockets, fetch: globalThis.fetch },
    tracer: observed ? blindTracer : undefined,
  };
  const components = (store: Store): NodeComponents => ({
    ...shared,
    store,
    transports: (identity) => [new MemoryTransport({ hub, clock, log, ...identity })],
    guests: benchGuests(),
  });
  const settings = {
    realm: 1001,
    aisUrl: server.identity,
    signalingUrl: `${server.url.replace(/^http/, "ws")}/signaling/ws`,
  };
  const { guest, options } = setup;
  const definition = guest === undefined ? benchNode(options) : await guestNode(guest);
  const callee = await Node.start(definition, components(stores[0]), settings);
  const caller = await Node.start(defineNode({}), components(stores[1]), settings);
  return {
    caller,
    callee,
    store: stores[0],
    async [Symbol.asyncDispose]() {
      await caller.stop();
      await callee.stop();
      await server.stop();
      for (const store of stores) await store.close();
    },
  };
}

/** Resolves when everything that the node accepted is handled and acknowledged. */
export async function mailboxIdle({ inbound }: Node): Promise<void> {
  while (!inbound.mailbox.idle) await new Promise((resolve) => setTimeout(resolve, 0));
}
