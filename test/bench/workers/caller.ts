/** A node that finds the echo node and calls it over WebSocket, or WebRTC. */
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { type ActrId, defineNode } from "../../../src/mod.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { benchType, echoBody, echoRoute } from "../bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { runtimeAdapter } from "../runtime.ts";
import { streamLoad } from "../stream_load.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { identity, webrtc } = workerSetup<{
  readonly identity: string;
  readonly webrtc: boolean;
}>();
const { serve } = await runtimeAdapter();
const served = await serve(defineNode({}), {
  port: 0,
  hostname: "127.0.0.1",
  identity,
  log: silentLogger(),
  webrtc,
});
const [target] = (await served.context.discover(benchType)) as [ActrId];
const transport = webrtc ? "webrtc" : "websocket";
const { sessions } = served.node.outbound;
const key = formatActrId(target);
do await served.context.call(target, echoRoute, echoBody(1));
while (sessions.requestLink(key)?.transport !== transport);

interface Question extends LoadPlan {
  readonly kind?: "stream";
}

function ask(plan: Question): Promise<LoadResult> {
  if (plan.kind === "stream") return streamLoad(served.context, target, plan);
  const body = echoBody(plan.bytes);
  return closedLoop(() => served.context.call(target, echoRoute, body), plan);
}

await workerLoop({ ready: null, ask, close: () => served.stop() });
