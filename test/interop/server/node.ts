import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { runningModule } from "../../../adapters/running.ts";
import type { Served, ServeOptions } from "../../../adapters/serve/options.ts";
import { defineNode, type NodeInit } from "../../../src/define.ts";
import { Actrix } from "./actrix.ts";
import type { Session } from "./session.ts";

/** What the nodes of these tests are: those of the vectors. */
export const type = "acme:echo-service:1.0.0";

/** Where they live, but for the rendezvous. */
export const place = { port: 0, hostname: "127.0.0.1", realm: 101, log: silentLogger() } as const;

/** A node at a server, and their connection. */
export interface Home extends AsyncDisposable {
  readonly actrix: Actrix;
  readonly node: Served;
  readonly session: Session;
}

/** Starts a node of ours at a server of its own. @param prepare what the server does otherwise. */
export async function atHome(
  prepare: (actrix: Actrix) => void = () => {},
  init: NodeInit = {},
  options: (actrix: Actrix) => ServeOptions = () => ({}),
): Promise<Home> {
  const actrix = await Actrix.start();
  prepare(actrix);
  const { serve } = await runningModule();
  const app = defineNode({ type, ...init });
  const starting = serve(app, { ...place, identity: actrix.ais, ...options(actrix) });
  const [node, session] = await Promise.all([starting, actrix.session()]).catch(async (error) => {
    await actrix[Symbol.asyncDispose]();
    throw error;
  });
  return {
    ...{ actrix, node, session },
    async [Symbol.asyncDispose]() {
      await node.stop();
      await actrix[Symbol.asyncDispose]();
    },
  };
}
