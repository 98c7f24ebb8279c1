import type { Hono } from "hono";
import type { RendezvousEnv } from "../ais/ais_routes.ts";
import { dialHeader } from "./handshake.ts";
import { clusterPath } from "./linker.ts";
import { maxLinkMessageBytes } from "./server_link.ts";
import type { Switchboard } from "./switchboard.ts";

/** Adds the socket at which the servers of a cluster dial each other; 401 for anybody else, before the upgrade. */
export function addClusterRoutes(app: Hono<RendezvousEnv>, lines: Switchboard): void {
  app.get(clusterPath, async (c) => {
    const { upgrade } = c.env;
    if (upgrade === undefined) return c.text("Expected a WebSocket upgrade", 426);
    const admitted = await lines.admit(c.req.header(dialHeader));
    if (admitted === undefined) return new Response(null, { status: 401 });
    return upgrade({ maxMessageBytes: maxLinkMessageBytes }, (socket) =>
      lines.accept(socket, admitted),
    );
  });
}
