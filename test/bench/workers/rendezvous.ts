/** A rendezvous with a store in a file, without limits by address and realm: all its clients have the same ones. */
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { runningModule } from "../../../adapters/running.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { store } = workerSetup<{ readonly store: string }>();
const unlimited = 1_000_000;
const { rendezvous } = await runningModule();
const served = await rendezvous({
  ...{ port: 0, hostname: "127.0.0.1", log: silentLogger(), store },
  limits: {
    addressBurst: unlimited,
    addressRequestsPerSecond: unlimited,
    realmBurst: unlimited,
    realmIdentitiesPerSecond: unlimited,
    messageBurst: unlimited,
    messagesPerSecond: unlimited,
  },
});

await workerLoop({
  ready: { port: Number(new URL(served.url).port) },
  ask: async () => null,
  close: () => served.stop(),
});
