import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { delay } from "#async";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../../src/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import { row } from "../conformance/store_samples.ts";
import { type ProxyTrouble, TcpProxy } from "../fixtures/proxy.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";
import { until } from "../fixtures/until.ts";

const callTimeoutMs = 1_000;
/** A call, the questions about its outcome, and the last of them. */
const answerLimitMs = 3 * callTimeoutMs + 1_000;

/** A server behind a way that makes trouble, and a store that comes by it. */
async function troubled(scheme: "http" | "ws") {
  const server = await Sqld.start();
  const proxy = await TcpProxy.start(server.port);
  const open = (port: number): Promise<Store> =>
    openStore(
      `${scheme}://127.0.0.1:${port}`,
      { clock: systemClock(), random: new SeededRandom(), callTimeoutMs, leaseMs: 60_000 },
      AbortSignal.timeout(10_000),
    );
  return {
    server,
    proxy,
    store: await open(proxy.port),
    reopen: () => open(server.port),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Puts a row; how that ended. */
async function put(store: Store, seq: number): Promise<"written" | "refused" | "unknown"> {
  try {
    await store.commit([{ kind: "mailbox.put", row: row(seq) }]);
    return "written";
  } catch (error) {
    assert.ok(ActrError.is(error) && error.code === "storage", String(error));
    return error.details?.["unknown"] === true ? "unknown" : "refused";
  }
}

const seqs = async (store: Store) => (await store.mailboxRows(0, 99_999)).map(({ seq }) => seq);

for (const scheme of ["http", "ws"] as const) {
  describe(`a libSQL server over ${scheme}, in trouble`, { skip: sqldMissing }, () => {
    const cuts: readonly [string, ProxyTrouble][] = [
      ["before anything arrives", { cutAfterBytes: 1 }],
      ["in the middle of a batch", { cutAfterBytes: 400 }],
      ["before the answer arrives", { cutAnswers: true }],
    ];
    for (const [when, trouble] of cuts) {
      it(`learns the outcome of a batch whose connection was cut ${when}`, async () => {
        await using world = await troubled(scheme);
        const { store, proxy } = world;
        assert.equal(await put(store, 1), "written");
        // What is still on its way belongs to the call before.
        await delay(100);
        proxy.trouble = { ...trouble };
        const outcome = await put(store, 2);
        assert.notEqual(outcome, "unknown");
        if (trouble.cutAnswers === true) assert.equal(outcome, "written");
        assert.deepEqual(await seqs(store), outcome === "written" ? [1, 2] : [1]);
        assert.equal(await put(store, 3), "written");
        assert.deepEqual(await seqs(store), outcome === "written" ? [1, 2, 3] : [1, 3]);
        await store.close();
      });
    }

    it("learns what a slow server did, and says meanwhile that something is wrong", async () => {
      await using world = await troubled(scheme);
      const { store, proxy } = world;
      proxy.trouble = { delayMs: callTimeoutMs / 4 };
      assert.equal(await put(store, 1), "written");
      assert.equal(store.fault, undefined);
      proxy.trouble = { delayMs: 2 * callTimeoutMs };
      const outcome = put(store, 2);
      await until("the store tells", () => store.fault !== undefined, answerLimitMs);
      assert.match(store.fault ?? "", /no answer within/);
      proxy.trouble = {};
      const word = await outcome;
      await until("the store is well again", () => store.fault === undefined, 10_000);
      assert.equal(await put(store, 3), "written");
      assert.notEqual(word, "unknown");
      assert.deepEqual(await seqs(store), word === "written" ? [1, 2, 3] : [1, 3]);
      await store.close();
    });

    it("closes in time though the server is silent", async () => {
      await using world = await troubled(scheme);
      const { store, proxy } = world;
      proxy.trouble = { silent: true };
      const outcome = put(store, 1);
      const startedAt = performance.now();
      await assert.rejects(store.close(), (error) => ActrError.is(error));
      assert.ok(performance.now() - startedAt < answerLimitMs + callTimeoutMs);
      assert.equal(await outcome, "unknown");
      await assert.rejects(store.commit([]), (error) => ActrError.is(error));
    });

    it("goes through restarts of the server, losing and doubling nothing", async () => {
      await using world = await troubled(scheme);
      const { store, server } = world;
      const said = new Map<number, string>();
      let next = 0;
      let running = true;
      const sender = async (): Promise<void> => {
        while (running) {
          const seq = ++next;
          said.set(seq, await put(store, seq));
        }
      };
      const senders = Array.from({ length: 4 }, sender);
      for (let restarts = 0; restarts < 3; restarts++) {
        const before = next;
        await until("rows are put", () => next > before + 12, 10_000);
        await server.kill();
        await server.resume();
      }
      const before = next;
      await until("rows are put", () => next > before + 12, 10_000);
      running = false;
      await Promise.all(senders);
      const found = new Set(await seqs(store));
      const wrong = [...said].filter(
        ([seq, word]) => word !== "unknown" && (word === "written") !== found.has(seq),
      );
      assert.deepEqual(wrong, []);
      await store.close();
      await using again = await world.reopen();
      assert.equal(again.opened.unclean, false);
      assert.equal((await seqs(again)).length, found.size);
    });
  });
}
