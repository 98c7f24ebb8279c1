import process from "node:process";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { type StackName, webrtcStacks } from "../fixtures/webrtc_stacks.ts";
import { Running } from "../integration/rendezvous_server.ts";

const mebibyte = 1024 * 1024;
const chunkBytes = 64 * 1024;

/** Two nodes that WebRTC alone connects. */
export interface TransferNodes extends AsyncDisposable {
  readonly from: WebRtcNode;
  readonly to: WebRtcNode;
}

/** Starts two nodes, and a rendezvous to find each other by. */
export async function transferNodes(stack: StackName): Promise<TransferNodes> {
  const rendezvous = await Running.start(new MemoryStore());
  const webrtc = await webrtcStacks[stack]();
  const start = (): Promise<WebRtcNode> =>
    webRtcNode("test:Transfer:1.0.0", `${rendezvous.base}/ais`, { webrtc });
  const [from, to] = [await start(), await start()];
  return {
    from,
    to,
    [Symbol.asyncDispose]: async () => {
      for (const each of [from, to, rendezvous]) await each[Symbol.asyncDispose]();
    },
  };
}

/** What a transfer showed. */
export interface TransferFigures {
  readonly bytes: number;
  readonly megabytesPerSecond: number;
  /** Chunks that came changed, twice or in another order. */
  readonly wrong: number;
  /** Most that had been written and not yet read, MB. */
  readonly underWay: number;
  /** Most resident memory of the process, both nodes in it, in the first and the second half of the transfer, MB. */
  readonly resident: readonly [first: number, second: number];
}

/** Streams `bytes` from one node to the other in chunks of 64 KB, as fast as they go. */
export async function transfer(
  { from, to }: TransferNodes,
  bytes: number,
): Promise<TransferFigures> {
  const total = Math.ceil(bytes / chunkBytes);
  const id = from.node.context.streams.newId();
  const reader = to.node.context.streams.receive(id, { from: from.node.id });
  const begunAt = performance.now();
  let written = 0;
  const writing = (async () => {
    await using writer = await from.node.context.streams.open(to.node.id, id);
    for (; written < total; written++) await writer.write(numbered(written));
  })();
  let [read, wrong, underWay] = [0, 0, 0];
  const resident: [number, number] = [0, 0];
  for await (const { payload } of reader) {
    if (!isNumbered(payload, read)) wrong += 1;
    read += 1;
    underWay = Math.max(underWay, written - read);
    if (read % 64 !== 0) continue;
    const half = read * 2 <= total ? 0 : 1;
    resident[half] = Math.max(resident[half], Math.round(process.memoryUsage.rss() / mebibyte));
  }
  await writing;
  const seconds = (performance.now() - begunAt) / 1_000;
  return {
    bytes: read * chunkBytes,
    megabytesPerSecond: Math.round((read * chunkBytes) / seconds / 1e6),
    wrong,
    underWay: Math.round((underWay * chunkBytes) / mebibyte),
    resident,
  };
}

/** A chunk that says which one it is, at both its ends. */
function numbered(n: number): Uint8Array {
  const chunk = new Uint8Array(chunkBytes);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, n);
  view.setUint32(chunkBytes - 4, n);
  return chunk;
}

function isNumbered(payload: Uint8Array, n: number): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (payload.length !== chunkBytes) return false;
  return view.getUint32(0) === n && view.getUint32(chunkBytes - 4) === n;
}
