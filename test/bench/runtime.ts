import process from "node:process";
import type {
  EndpointOptions,
  Runtime,
  Served,
  ServedRendezvous,
  ServeOptions,
} from "../../adapters/serve/options.ts";
import type { NodeDefinition } from "../../src/define.ts";

/** What the running runtime's adapter offers, under one set of names. */
export interface RuntimeAdapter {
  readonly runtime: Runtime;
  serve(app: NodeDefinition, options: ServeOptions): Promise<Served>;
  rendezvous(options: EndpointOptions): Promise<ServedRendezvous>;
}

/** The adapter of the runtime that this process is. */
export async function runtimeAdapter(): Promise<RuntimeAdapter> {
  if (process.versions["bun"] !== undefined) {
    const { bunRuntime, serve, rendezvous } = await import("../../adapters/bun/mod.ts");
    return { runtime: bunRuntime(), serve, rendezvous };
  }
  if (process.versions["deno"] !== undefined) {
    const { denoRuntime, serve, rendezvous } = await import("../../adapters/deno/mod.ts");
    return { runtime: denoRuntime(), serve, rendezvous };
  }
  const { nodeRuntime, serve, rendezvous } = await import("../../adapters/node/mod.ts");
  return { runtime: nodeRuntime(), serve, rendezvous };
}
