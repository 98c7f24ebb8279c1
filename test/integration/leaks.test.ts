import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import {
  assertNoMore,
  heapBytes,
  type Resources,
  resources,
  showsDescriptors,
  watchTimers,
} from "../fixtures/resources.ts";
import { until } from "../fixtures/until.ts";

const cycles = 200;
/** Cycles after which everything that is made only once has been made. */
const warmUp = 50;
/**
 * What the heap may grow by per cycle. Compiled code and tables of the runtime grow by 2 to 10 KB
 * at first; a node that is not let go of takes 60 to 120 KB, a peer that only calls 25 to 50 KB.
 */
const bytesPerServe = 30_000;
const bytesPerConnect = 15_000;
/** How long the system may take to let go of what was closed, milliseconds. */
const settleMs = 10_000;

const timers = watchTimers();
const log = silentLogger();
const { serve, prepare, connect } = await runningModule();
const app = defineNode({
  type: "test:Probe:1.0.0",
  services: [
    service(ProbeService, { handlers: { echo: ({ data }) => ({ data }), wait: () => ({}) } }),
  ],
  // Answers are remembered for a while, which is no leak.
  options: { inbound: { dedupTtlMs: 100 } },
});
/**
 * One port for all cycles, since Node's own fetch remembers every address that it ever connected to.
 * Below those that systems give out by themselves, and of this process alone.
 */
const port = 20_000 + (process.pid % 12_000);

/** Runs `cycle` 200 times; what the process holds, and its heap, must stop growing. */
async function repeat(
  cycle: (done: number) => Promise<void>,
  bytesPerCycle: number,
): Promise<void> {
  for (let done = 0; done < warmUp; done++) await cycle(done);
  const before = await settled();
  const heapBefore = await heapBytes();
  for (let done = warmUp; done < cycles; done++) await cycle(done);
  await assertNoMore(timers, before, settleMs);
  const grown = (await heapBytes()) - heapBefore;
  assert.ok(grown < (cycles - warmUp) * bytesPerCycle, `the heap grew by ${grown} bytes`);
}

/** What the process holds once that has not changed for a while. */
async function settled(): Promise<Resources> {
  let last = "";
  let unchanged = 0;
  const calm = async (): Promise<boolean> => {
    const now = JSON.stringify(await resources(timers));
    unchanged = now === last ? unchanged + 1 : 0;
    last = now;
    return unchanged >= 10;
  };
  await until("things have calmed down", calm, settleMs);
  return JSON.parse(last) as Resources;
}

const start = (store: string): Promise<Served> =>
  serve(app, { port, hostname: "127.0.0.1", store, log });

/** A node that is registered and then given up, or whose start is ended. */
async function giveUp(store: string, whileStarting: boolean): Promise<void> {
  const hooks = { onStart: () => new Promise<void>(() => {}) };
  const attached = prepare({ port, hostname: "127.0.0.1", store, log }).attach(app).observe(hooks);
  await using registered = await attached.register();
  if (!whileStarting) return;
  const enough = new AbortController();
  const failed = assert.rejects(registered.start({ signal: enough.signal }), { code: "stopping" });
  enough.abort(new ActrError("stopping", "the test has seen enough"));
  await failed;
}

async function callOnce({ url }: Served): Promise<void> {
  await using peer = await connect(url, { log });
  await peer.service(ProbeService, "test:Probe:1.0.0").echo({ data: new Uint8Array(1_000) });
}

const options = showsDescriptors ? {} : { skip: "this system does not show descriptors" };

describe(`${cycles} times in one process`, options, () => {
  it("[ND-32] serving and stopping, or giving up on the way, leaves no timer, socket, listener or file, and no memory", async () => {
    await using folder = await temporaryFolder();
    const store = `file:${folder.path}/node.db`;
    await repeat(async (done) => {
      if (done % 4 === 3) return await giveUp(store, done % 8 === 7);
      const served = await start(store);
      await callOnce(served);
      await served.stop();
    }, bytesPerServe);
  });

  it("connecting, calling and closing leaves nothing, neither here nor at the node", async () => {
    await using folder = await temporaryFolder();
    await using served = await start(`file:${folder.path}/node.db`);
    await repeat(() => callOnce(served), bytesPerConnect);
    const { outbound, inbound } = served.node;
    assert.equal(outbound.sessions.size, 0);
    assert.equal(outbound.pending.size, 0);
    assert.equal(inbound.mailbox.status().inFlight, 0);
  });
});
