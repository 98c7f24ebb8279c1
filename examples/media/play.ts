// Takes sound and pictures, and says each second what has come; serves a page that sends some: `play.ts [PORT]`.
import process from "node:process";
import { serve } from "@roost/edge/node";
import { pages } from "../pages.ts";
import { app, received } from "./app.ts";

const port = Number(process.argv[2] ?? 8080);
const node = await serve(app, {
  port,
  webrtc: true,
  fetch: await pages(import.meta.url),
  stopOnSignals: true,
});
console.log(`open ${node.url}, or send to ${node.identity}`);
const report = setInterval(() => {
  for (const [track, { samples, bytes, level, format }] of received) {
    console.log(`${track}: ${samples} samples, ${bytes} bytes, level ${level}, ${format}`);
  }
}, 1_000);
await node.stopped;
clearInterval(report);
// The WebRTC library crashes in a runtime's own clean-up once media have been carried.
process.exit(0);
