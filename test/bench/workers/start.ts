/** Serves the echo node as a user would, and says how long that took. */
import process from "node:process";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { benchNode } from "../bench_service.ts";
import { tellReady } from "../ready.ts";
import { runtimeAdapter } from "../runtime.ts";
import { workerSetup } from "../worker_loop.ts";

const { store } = workerSetup<{ readonly store: string }>();
const { serve } = await runtimeAdapter();
const began = performance.now();
const served = await serve(benchNode(), { port: 0, store, log: silentLogger() });
await tellReady({ serve: performance.now() - began });
await served.stop();
process.exit(0);
