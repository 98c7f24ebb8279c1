// Serves the node, and the page, on one port: `serve.ts [PORT]`.
import process from "node:process";
import { serve } from "@roost/edge/node";
import { pages } from "../pages.ts";
import { app } from "./app.ts";

const port = Number(process.argv[2] ?? 8080);
const node = await serve(app, {
  port,
  webrtc: true,
  fetch: await pages(import.meta.url),
  stopOnSignals: true,
});
console.log(`open ${node.url}`);
await node.stopped;
process.exit(0);
