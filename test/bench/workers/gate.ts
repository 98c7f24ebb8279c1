/** The mailbox without the wire: durable requests pushed into a node's gate, answers taken at its link. */
import { systemRandom } from "../../../adapters/system_random.ts";
import type { Link, LinkClosed } from "../../../src/ports/transport.ts";
import { durableMetadata } from "../../../src/protocol/durable.ts";
import { decodeEnvelope, directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { type Frame, lanes } from "../../../src/protocol/frame.ts";
import { Peer } from "../../../src/session/peer.ts";
import { echoBody, echoRoute } from "../bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { type MemoryNodesSetup, mailboxIdle, memoryNodes } from "../memory_nodes.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const nodes = await memoryNodes(workerSetup<MemoryNodesSetup>());
const { callee, caller } = nodes;
const waiting = new Map<string, () => void>();
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
  async send(frame: Frame) {
    const { requestId } = decodeEnvelope(frame.body);
    waiting.get(requestId)?.();
    waiting.delete(requestId);
  },
  async close() {},
};
callee.outbound.sessions.accept(link);
const from = new Peer(caller.id);
const random = systemRandom();

function send(payload: Uint8Array): Promise<void> {
  const requestId = random.uuid();
  const body = encodeEnvelope({
    routeKey: echoRoute,
    payload,
    direction: directions.request,
    requestId,
    metadata: durableMetadata,
    timeoutMs: 30_000,
  });
  return new Promise((resolve) => {
    waiting.set(requestId, resolve);
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
