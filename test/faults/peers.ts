/**
 * `npm run faults:peers -- [--peers N] [--minutes M]`: so many peers of one node over WebRTC, for so long; 100 for five
 * minutes by default. Tells how long first calls took, and the memory of each peer; fails when a call fails or memory grows.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { delay } from "#async";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { webRtcNode } from "../fixtures/webrtc_node.ts";
import { Running } from "../integration/rendezvous_server.ts";
import type { PeersDone, PeersReady } from "./peers_program.ts";

const mebibyte = 1024 * 1024;
/** Growth from the first half to the second that counts as none, MB: what the runtime takes before it collects. */
const flatMb = 16;
const sampleMs = 1_000;
const connectLimitMs = 120_000;

const { values } = parseArgs({
  options: { peers: { type: "string", default: "100" }, minutes: { type: "string", default: "5" } },
});
const [peers, minutes] = [Number(values.peers), Number(values.minutes)];
if (!(peers > 0) || !(minutes > 0)) {
  console.error("--peers and --minutes take numbers above 0");
  process.exit(2);
}
const residentMb = (): number => process.memoryUsage.rss() / mebibyte;
const mean = (list: readonly number[]): number =>
  list.reduce((sum, each) => sum + each, 0) / list.length;

const type = "test:Hub:1.0.0";
const clock = systemClock();
await using rendezvous = await Running.start(new MemoryStore());
const identity = `${rendezvous.base}/ais`;
await using hub = await webRtcNode(type, identity);
const aloneMb = residentMb();
const callers = new Program(thisRuntime, fileURLToPath(import.meta.resolve("./peers_program.ts")), [
  ...[type, identity],
  ...[String(peers), String(minutes * 60_000)],
]);
const { firstCallMs } = await callers.line<PeersReady>(connectLimitMs);
const samples: number[] = [];
const connected = hub.transport.connections;
const until = clock.now() + minutes * 60_000;
while (clock.now() < until) {
  samples.push(residentMb());
  await delay(sampleMs);
}
const { calls, failed } = await callers.line<PeersDone>(connectLimitMs);
const [first, second] = [samples.slice(0, samples.length / 2), samples.slice(samples.length / 2)];
const grownMb = mean(second) - mean(first);
const pending = hub.node.outbound.pending.size;
const kilobytesPerPeer = Math.round(((mean(second) - aloneMb) * 1024) / peers);
console.log(
  JSON.stringify({
    ...{ runtime: thisRuntime, peers, minutes, connected, firstCallMs, calls, failed, pending },
    ...{ aloneMb: Math.round(aloneMb), kilobytesPerPeer, grownMb: Math.round(grownMb) },
  }),
);
await callers.kill();
process.exit(failed > 0 || connected < peers || pending > 0 || grownMb > flatMb ? 1 : 0);
