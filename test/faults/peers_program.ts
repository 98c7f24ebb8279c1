// Peers that call one node: `peers_program.ts TYPE IDENTITY PEERS MS`. Tells how long their first calls took, then what became of one a second from each.
import process from "node:process";
import { delay } from "#async";
import { systemClock } from "../../adapters/system_clock.ts";
import { echoes, type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";

/** What is said when all are connected: quartiles of discovery, negotiation and answer together. */
export interface PeersReady {
  readonly firstCallMs: { readonly p50: number; readonly p99: number };
}

/** What is said at the end. */
export interface PeersDone {
  readonly calls: number;
  readonly failed: number;
}

const pauseMs = 1_000;
const bytes = 1_000;
const [type = "", identity = "", peers = "1", ms = "0"] = process.argv.slice(2);
const clock = systemClock();
const nodes: WebRtcNode[] = [];
const took: number[] = [];
for (let number = 0; number < Number(peers); number += 1) {
  const peer = await webRtcNode("test:Caller:1.0.0", identity);
  const begunAt = clock.monotonic();
  const [hub] = await peer.node.context.discover(type);
  if (hub === undefined) throw new TypeError(`nobody is a ${type}`);
  await echoes(peer.node, hub, bytes);
  took.push(clock.monotonic() - begunAt);
  nodes.push(peer);
}
took.sort((a, b) => a - b);
const at = (part: number): number => Math.round(took[Math.floor(part * took.length)] ?? 0);
console.log(JSON.stringify({ firstCallMs: { p50: at(0.5), p99: at(0.99) } } satisfies PeersReady));

const until = clock.now() + Number(ms);
let [calls, failed] = [0, 0];
await Promise.all(
  nodes.map(async ({ node }, at) => {
    const [hub] = await node.context.discover(type);
    await delay((pauseMs * at) / nodes.length);
    while (hub !== undefined && clock.now() < until) {
      calls += 1;
      await echoes(node, hub, bytes).then(
        (same) => {
          failed += same ? 0 : 1;
        },
        () => {
          failed += 1;
        },
      );
      await delay(pauseMs);
    }
  }),
);
console.log(JSON.stringify({ calls, failed } satisfies PeersDone));
process.stdin.resume().on("end", () => process.exit(0));
