/** Nodes at a rendezvous, or at a bare server that echoes: `ws` connections that send what was made beforehand. */
import { closedLoop, LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import {
  type Frames,
  framesOf,
  openBare,
  openNode,
  registerOnce,
  type SignalingNode,
} from "../signaling_nodes.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

interface Setup {
  readonly port: number;
  /** Whether it is a bare server. */
  readonly bare?: boolean;
}

interface Question extends LoadPlan {
  /** Opens nodes until there are so many. */
  readonly open?: number;
  /** What the load is of. */
  readonly kind?: keyof Frames | "register";
  /** Has each node send once and waits for all answers. */
  readonly once?: true;
}

/** Nodes that are being opened at any time. */
const opening = 32;
const { port, bare = false } = workerSetup<Setup>();
const nodes: SignalingNode[] = [];
let frames: Frames[] = [];
let arrived: (at: number) => void = () => {};

async function open(count: number): Promise<null> {
  let next = nodes.length;
  const opener = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const node = await (bare ? openBare(port, at) : openNode(port, at));
      nodes[at] = node;
      node.socket.on("message", () => arrived(at));
      node.socket.on("close", (code) => {
        throw new Error(`node ${at} was closed with ${code}`);
      });
    }
  };
  await Promise.all(Array.from({ length: opening }, opener));
  frames = nodes.map((node, at) => framesOf(node, nodes[at ^ 1] ?? node));
  return null;
}

/** A closed loop in which each flight has pairs of nodes of its own, so that what arrives at a node is its. */
function load(kind: keyof Frames, { inFlight, ms }: LoadPlan): Promise<LoadResult> {
  const meter = new LoadMeter(ms);
  const began = new Float64Array(nodes.length);
  // Only what is relayed arrives at somebody else.
  const partner = kind === "relay" && !bare ? 1 : 0;
  const send = (at: number): void => {
    const from = at ^ partner;
    began[at] = performance.now();
    nodes[from]?.socket.send(frames[from]?.[kind] ?? "");
  };
  const step = 2 * inFlight;
  const next = (at: number): number => {
    if (at % 2 === 0) return at + 1;
    return at - 1 + step < nodes.length ? at - 1 + step : (at - 1) % step;
  };
  let flights = inFlight;
  return new Promise((resolve) => {
    arrived = (at) => {
      if (meter.add(began[at] ?? 0, performance.now())) return send(next(at));
      flights -= 1;
      if (flights === 0) resolve(meter.result());
    };
    for (let flight = 0; flight < inFlight; flight += 1) send(2 * flight);
  });
}

function pingAll(): Promise<number> {
  let open = nodes.length;
  return new Promise((resolve) => {
    arrived = () => {
      open -= 1;
      if (open === 0) resolve(nodes.length);
    };
    for (const [at, { socket }] of nodes.entries()) socket.send(frames[at]?.ping ?? "");
  });
}

async function ask({ open: count, kind = "ping", once, ...plan }: Question): Promise<unknown> {
  if (count !== undefined) return await open(count);
  if (once) return await pingAll();
  return kind === "register" && !bare
    ? await closedLoop(() => registerOnce(port), plan)
    : await load(kind === "register" ? "ping" : kind, plan);
}

await workerLoop({ ready: null, ask, close: async () => {} });
