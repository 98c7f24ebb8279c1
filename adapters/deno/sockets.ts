import type { Sockets } from "../../src/ports/sockets.ts";
import { globalConnect } from "../global_connect.ts";
import { serve } from "./serve.ts";

/**
 * Sockets over `Deno.serve` and Deno's own WebSocket. These can neither stop reading (a fast sender fills the
 * receiver's memory), nor ping, nor drop a connection; their limit on messages counts after one is in memory.
 */
export function denoSockets(): Sockets {
  return {
    name: "deno",
    capabilities: { status: true, drops: false, pauses: false, headers: true },
    connect: globalConnect,
    serve,
  };
}
