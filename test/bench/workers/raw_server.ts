/** The baseline's server: a bare `ws` echo; messages that begin with 0 have no answer. */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { workerLoop } from "../worker_loop.ts";

const silent = 0;
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    if (data[0] !== silent) socket.send(data);
  });
});
await new Promise((resolve) => server.once("listening", resolve));

await workerLoop({
  ready: { port: (server.address() as AddressInfo).port },
  ask: async () => null,
  close: async () => server.close(),
});
