import type { NodeDefinition } from "../../src/define.ts";
import type { Runtime, Served, ServeOptions } from "./options.ts";
import { Prepared } from "./stages.ts";

/**
 * Serves a node: opens the store, binds the port, registers and lets requests in. Without an identity
 * service to register at, it serves a rendezvous of its own on the same port.
 * @throws ActrError `config`, `storage`, `registration`, `unavailable`; then nothing is left running.
 */
export async function serveNode(
  runtime: Runtime,
  app: NodeDefinition,
  options: ServeOptions = {},
): Promise<Served> {
  const registered = await new Prepared(runtime, options).attach(app).register();
  return await registered.start();
}
