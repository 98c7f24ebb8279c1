// A node that counts effects in its durable state; killed and restarted by ledger_kill.test.ts.
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";

const counted = new DataView(new ArrayBuffer(8));

async function read(c: Context, key: string): Promise<number> {
  const bytes = await c.state.get(key);
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function write(c: Context, key: string, value: number): void {
  counted.setUint32(0, value);
  c.state.put(key, new Uint8Array(counted.buffer, 0, 4));
}

/** Reads, waits and writes: a torn turn would show. */
async function add({ id }: { readonly id: string }, c: Context) {
  const times = (await read(c, `entry-${id}`)) + 1;
  const position = (await read(c, "position")) + 1;
  write(c, `entry-${id}`, times);
  write(c, "position", position);
  return { times, position };
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

const [port = "0", store = ":memory:", identity = ""] = process.argv.slice(2);
const { serve } = await adapter();
const served = await serve(defineNode({ type: "test:Ledger:1.0.0", services: [ledger] }), {
  port: Number(port),
  hostname: "127.0.0.1",
  store,
  identity,
  log: silentLogger(),
});
console.log(JSON.stringify({ id: formatActrId(served.id), url: served.url }));
