// A process that owns a store and puts rows when told to; paused and killed by store_ownership.test.ts.
import process from "node:process";
import { createInterface } from "node:readline";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { ActrError } from "../../src/errors.ts";
import { row } from "../conformance/store_samples.ts";

const [url = "", owner = "", leaseMs = "15000", leaseWaitMs = "0"] = process.argv.slice(2);
const say = (line: object): void => console.log(JSON.stringify(line));

try {
  const store = await openStore(
    url,
    {
      clock: systemClock(),
      random: systemRandom(),
      owner,
      leaseMs: Number(leaseMs),
      leaseWaitMs: Number(leaseWaitMs),
    },
    AbortSignal.timeout(20_000),
  );
  say({ opened: store.opened });
  void store.lost.then((reason) => say({ lost: reason }));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '"close"') break;
    await store
      .commit([{ kind: "mailbox.put", row: row(Number(line)) }])
      .then(() => say({ put: Number(line) }))
      .catch((error) => say({ refused: ActrError.from(error).code }));
  }
  await store.close();
} catch (error) {
  say({ refused: ActrError.from(error).code, message: String(error) });
}
process.exit(0);
