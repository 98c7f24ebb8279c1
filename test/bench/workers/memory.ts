/** Two nodes over the memory transport: volatile or durable calls, typed calls, durable tells. */
import { BenchService, echoBody, echoRoute } from "../bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { type MemoryNodesSetup, mailboxIdle, memoryNodes } from "../memory_nodes.ts";
import { streamLoad } from "../stream_load.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

interface Question extends LoadPlan {
  readonly kind: "call" | "calls" | "typed" | "tell" | "stream";
}

const nodes = await memoryNodes(workerSetup<MemoryNodesSetup>());
const { caller, callee } = nodes;
const target = callee.id;
const client = caller.context.service(BenchService, target);

function ask(question: Question): Promise<LoadResult> {
  const body = echoBody(question.bytes);
  const value = new Uint8Array(question.bytes);
  switch (question.kind) {
    case "call":
      return closedLoop(() => caller.context.call(target, echoRoute, body), question);
    case "calls": {
      const next = differentBodies(question);
      return closedLoop(() => caller.context.call(target, echoRoute, next()), question);
    }
    case "typed":
      return closedLoop(() => client.echo({ value }), question);
    case "stream":
      return streamLoad(caller.context, target, question);
    case "tell":
      return closedLoop(
        () => caller.context.tell(target, echoRoute, body, { durable: true }),
        question,
        () => mailboxIdle(callee),
      );
  }
}

/** Bodies in turn with a number each, in field 2, so that no two calls that are under way have the same. */
function differentBodies({ inFlight, bytes }: LoadPlan): () => Uint8Array {
  const bodies = Array.from({ length: Math.min(127, 2 * inFlight) }, (_, index) =>
    Uint8Array.from([...echoBody(bytes), 0x10, index]),
  );
  let sent = 0;
  return () => bodies[sent++ % bodies.length] as Uint8Array;
}

await workerLoop({ ready: null, ask, close: async () => await nodes[Symbol.asyncDispose]() });
