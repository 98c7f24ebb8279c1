import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Store } from "../../src/ports/store.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";

const signal = new AbortController().signal;
const one = new Uint8Array([1]);
const put = (key: string) => ({ kind: "record.put", space: "s", key, value: one }) as const;

describe("a database that several have open", { skip: sqldMissing }, () => {
  let server: Sqld;

  before(async () => {
    server = await Sqld.start();
  });

  after(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const open = (shared: boolean): Promise<Store> =>
    openStore(
      server.url("http"),
      { clock: systemClock(), random: systemRandom(), shared, leaseWaitMs: 0 },
      signal,
    );

  it("is made once by those who come first, takes what each writes, and has no other owner", async () => {
    const [a, b, c] = await Promise.all([open(true), open(true), open(true)]);
    assert.equal(new Set([a, b, c].map((store) => store.opened.fence)).size, 3);
    await Promise.all([a.commit([put("a")]), b.commit([put("b")]), c.commit([put("c")])]);
    await a.close();
    await b.commit([put("d")]);
    const keys = (await c.records("s", "", 9)).map(({ key }) => key);
    assert.deepEqual(keys, ["a", "b", "c", "d"]);
    await assert.rejects(open(false), { code: "storage" });
    await Promise.all([b.close(), c.close()]);
  });
});
