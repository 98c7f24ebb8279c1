// Sends a tone and a test picture to the player: `send.ts IDENTITY [SECONDS]`.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { defineNode } from "@roost/edge";
import { serve } from "@roost/edge/node";
import { testPicture, tone } from "./samples.ts";
import { tracks, type } from "./tracks.ts";

const [identity = "http://127.0.0.1:8080/ais", seconds = "10"] = process.argv.slice(2);
const node = await serve(defineNode({ type: "acme:Sender:1.0.0" }), {
  port: 0,
  identity,
  webrtc: true,
});
const { media } = node.context;
const [player] = await node.context.discover(type);
if (player === undefined) throw new Error("no player is connected; start play.ts first");

for (const track of tracks) await media.addTrack(player, track);
const [begunAt, lengthMs] = [performance.now(), Number(seconds) * 1_000];
let [sounds, pictures] = [0, 0];
for (let now = 0; now < lengthMs; now = performance.now() - begunAt) {
  for (; sounds * 20 <= now; sounds++) media.send(player, "voice", tone(sounds));
  for (; pictures * 40 <= now; pictures++) media.send(player, "camera", testPicture(pictures));
  await delay(10);
}
for (const { id } of tracks) await media.removeTrack(player, id);
console.log(`sent ${sounds} sounds and ${pictures} pictures`);
await node.stop();
// The WebRTC library crashes in a runtime's own clean-up once media have been carried.
process.exit(0);
