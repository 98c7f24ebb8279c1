/** Nodes one after the other that find the echo node and call it over WebSocket: how long that takes each, the connection included. */
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { defineNode } from "../../../src/mod.ts";
import { benchType, echoBody, echoRoute } from "../bench_service.ts";
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { runtimeAdapter } from "../runtime.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { identity } = workerSetup<{ readonly identity: string }>();
const { serve } = await runtimeAdapter();
const options = { port: 0, hostname: "127.0.0.1", identity, log: silentLogger() };

async function ask({ bytes, ms }: LoadPlan): Promise<LoadResult> {
  const meter = new LoadMeter(ms);
  for (let more = true; more; ) {
    await using node = await serve(defineNode({}), options);
    const began = performance.now();
    const [target] = await node.context.discover(benchType);
    if (target === undefined) throw new TypeError(`nobody is a ${benchType}`);
    await node.context.call(target, echoRoute, echoBody(bytes));
    more = meter.add(began, performance.now());
  }
  return meter.result();
}

await workerLoop({ ready: null, ask, close: async () => {} });
