/**
 * A node that counts effects in its durable state, made to be killed: from outside at any time, or by itself at one
 * point of its work. Its options, as JSON, name its store and its end. SIGTERM stops it.
 */
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { serveNode } from "../../adapters/serve/serve.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { wrtcPeerConnections } from "../../adapters/wrtc/peer_connections.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import type { Sockets } from "../../src/ports/sockets.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { openKillDriver } from "./kill_drivers.ts";
import { KillSwitch, leaseLostExit, say } from "./kill_switch.ts";
import { KillingDriver } from "./killing_driver.ts";
import { killingSockets } from "./killing_sockets.ts";
import { type LedgerLine, type LedgerNodeOptions, requestPrefix } from "./ledger_protocol.ts";

const options: LedgerNodeOptions = JSON.parse(process.argv[2] ?? "");
const end = new KillSwitch(options.time, options.passing);

const counted = new DataView(new ArrayBuffer(4));

async function read(c: Context, key: string): Promise<number> {
  const bytes = await c.state.get(key);
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function write(c: Context, key: string, value: number): void {
  counted.setUint32(0, value);
  c.state.put(key, new Uint8Array(counted.buffer));
}

/** Reads, waits and writes: a torn turn would show. */
async function add({ id }: { readonly id: string }, c: Context) {
  const times = (await read(c, `entry-${id}`)) + 1;
  if (end.isDue("before ack")) await dieClaimed();
  const position = (await read(c, "position")) + 1;
  write(c, `entry-${id}`, times);
  write(c, "position", position);
  return { times, position };
}

/** Not before the claim is on disk, as the turn of the event loop has ended by then. */
async function dieClaimed(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return end.die("before ack");
}

const ledger = service(LedgerService, {
  handlers: {
    add,
    addDurable: add,
    read: async ({ id }, c) => ({
      times: await read(c, `entry-${id}`),
      position: await read(c, "position"),
    }),
  },
  methods: { addDurable: { durable: true } },
});

async function sockets(): Promise<Sockets> {
  switch (thisRuntime) {
    case "node":
      return (await import("../../adapters/node/sockets.ts")).nodeSockets();
    case "deno":
      return (await import("../../adapters/deno/sockets.ts")).denoSockets();
    case "bun":
      return (await import("../../adapters/bun/sockets.ts")).bunSockets();
  }
}

const driver = new KillingDriver(await openKillDriver(options), end);
const store = await openSqlStore(
  driver,
  { clock: systemClock(), random: systemRandom(), leaseMs: options.leaseMs },
  AbortSignal.timeout(50_000),
);
say({ opened: { recovered: store.opened.recovered } } satisfies LedgerLine);
void store.lost.then(() => process.exit(leaseLostExit));

const isAnswer = (message: Uint8Array): boolean => Buffer.from(message).includes(requestPrefix);
const app = defineNode({
  type: "test:Ledger:1.0.0",
  services: [ledger],
  // Deaths are meant here: no message is to be given up for them, no answer to be forgotten.
  options: { inbound: { maxAttempts: 1_000_000, dedupTtlMs: 600_000 } },
});
const served = await serveNode(
  {
    name: thisRuntime,
    sockets: killingSockets(await sockets(), end, isAnswer),
    peerConnections: wrtcPeerConnections,
  },
  app,
  {
    port: options.port,
    hostname: "127.0.0.1",
    store,
    identity: options.identity,
    log: silentLogger(),
  },
);
process.once("SIGTERM", async () => {
  await served.stop();
  await store.close();
  process.exit(0);
});
process.stdin.once("end", () => process.exit(1)).resume();
end.arm();
say({ ready: { id: formatActrId(served.id) } } satisfies LedgerLine);
