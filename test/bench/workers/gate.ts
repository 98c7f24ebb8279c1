/** The mailbox without the wire: durable requests pushed into a node's gate, answers taken at its link. */
import { Deque } from "../../../src/deque.ts";
import type { Link, LinkClosed } from "../../../src/ports/transport.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { Peer } from "../../../src/session/peer.ts";
import { durableRequest, echoBody } from "../bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { type MemoryNodesSetup, mailboxIdle, memoryNodes } from "../memory_nodes.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const nodes = await memoryNodes(workerSetup<MemoryNodesSetup>());
const { callee, caller } = nodes;
/** Who waits for an answer: the first one for the next, since all are answered in their order. */
const waiting = new Deque<() => void>();
const link: Link = {
  transport: "memory",
  peer: caller.id,
  direction: "inbound",
  frames: {
    poll: () => undefined,
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
  },
  closed: new Promise<LinkClosed>(() => {}),
  bufferedBytes: 0,
  async send() {
    waiting.shift()?.();
  },
  async close() {},
};
callee.outbound.sessions.accept(link);
const from = new Peer(caller.id);

function send(payload: Uint8Array): Promise<void> {
  const body = durableRequest(payload);
  return new Promise((resolve) => {
    waiting.push(resolve);
    void callee.inbound.gate.receive({ lane: lanes.rpcReliable, body }, from, link);
  });
}

function ask(plan: LoadPlan): Promise<LoadResult> {
  const payload = echoBody(plan.bytes);
  return closedLoop(
    () => send(payload),
    plan,
    () => mailboxIdle(callee),
  );
}

// The link never closes, so the nodes are not stopped but left.
await workerLoop({ ready: null, ask, close: async () => {} });
