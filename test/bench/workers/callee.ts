/** Serves the echo node with a rendezvous of its own. */
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import type { NodeOptionsInput } from "../../../src/mod.ts";
import { benchNode } from "../bench_service.ts";
import { runtimeAdapter } from "../runtime.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const setup = workerSetup<{
  readonly store?: string;
  readonly options?: NodeOptionsInput;
  readonly webrtc?: boolean;
}>();
const { serve } = await runtimeAdapter();
const served = await serve(benchNode(setup.options), {
  port: 0,
  hostname: "127.0.0.1",
  log: silentLogger(),
  webrtc: setup.webrtc ?? false,
  ...(setup.store === undefined ? {} : { store: setup.store }),
});

await workerLoop({
  ready: { identity: served.identity, webrtc: setup.webrtc ?? false },
  ask: async () => null,
  close: () => served.stop(),
});
