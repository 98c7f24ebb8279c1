import type { Sockets } from "../../src/ports/sockets.ts";
import { connect } from "./connect.ts";
import { serve } from "./serve.ts";

/** Sockets over the packages `ws` and `@hono/node-server`: the reference, the same on Node, Deno and Bun. */
export function nodeSockets(): Sockets {
  return {
    name: "node",
    capabilities: { status: true, drops: true, pauses: true, headers: true },
    connect,
    serve,
  };
}
