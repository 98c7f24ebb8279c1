/** The baseline of a room: a bare `ws` server that sends the same bytes to everybody. */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { paced, stamped } from "../room.ts";
import { workerLoop } from "../worker_loop.ts";

interface Question {
  readonly say: { readonly perSecond: number; readonly ms: number };
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
await new Promise((resolve) => server.once("listening", resolve));

function broadcast(): void {
  const frame = `{"body":{"tag":"Event","val":{"name":"said","args":["${stamped()}"]}}}`;
  for (const socket of server.clients) socket.send(frame);
}

await workerLoop({
  ready: { port: (server.address() as AddressInfo).port },
  ask: ({ say }: Question) => paced(say, broadcast),
  close: async () => server.close(),
});
