import type { Sockets } from "../../src/ports/sockets.ts";
import { globalConnect } from "../global_connect.ts";
import { serve } from "./serve.ts";

/** Sockets over `Bun.serve` and Bun's own WebSocket. */
export function bunSockets(): Sockets {
  return {
    name: "bun",
    capabilities: { status: true, drops: true, pauses: true, headers: true },
    connect: globalConnect,
    serve,
  };
}
