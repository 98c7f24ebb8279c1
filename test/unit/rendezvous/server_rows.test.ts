import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import type { Store } from "../../../src/ports/store.ts";
import { enterRow, openRows, type ServerRow } from "../../../src/rendezvous/cluster/server_rows.ts";
import { RacedStore } from "./raced_store.ts";

async function enter(store: Store, before?: ServerRow): Promise<ServerRow> {
  return await enterRow(store, await openRows(store), {}, before);
}

describe("servers that enter a cluster", () => {
  it("have each a worker of its own, also when all come at the same instant", async () => {
    const store = new MemoryStore();
    const rows = await Promise.all(Array.from({ length: 32 }, () => enter(store.share())));
    const ascending = Array.from({ length: 32 }, (_, at) => at);
    assert.deepEqual(
      rows.map(({ worker }) => worker).sort((a, b) => a - b),
      ascending,
    );
    assert.equal(new Set(rows.map(({ number }) => number)).size, 32);
  });

  it("choose again when another has entered after they looked", async () => {
    const store = new RacedStore();
    let faster: ServerRow | undefined;
    store.faster = async () => {
      faster = await enter(store);
    };
    const slower = await enter(store);
    assert.deepEqual([faster?.worker, slower.worker], [0, 1]);
    assert.deepEqual([faster?.number, slower.number], [1, 2]);
  });

  it("take the place of one that has left, and keep theirs when they come again", async () => {
    const store = new MemoryStore();
    const [first, second] = [await enter(store), await enter(store)];
    const table = await openRows(store);
    await table.update("0000000001", () => undefined);
    assert.equal((await enter(store)).worker, first.worker);
    const again = await enter(store, second);
    assert.deepEqual([again.number, again.worker], [4, second.worker]);
  });
});
