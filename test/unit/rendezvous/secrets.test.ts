import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { keptSecret, metaSpace } from "../../../src/rendezvous/secrets.ts";
import { RacedStore } from "./raced_store.ts";

describe("keptSecret", () => {
  it("is made once, also when another server is faster", async () => {
    const others = new Uint8Array(32).fill(7);
    const store = new RacedStore();
    const record = { space: metaSpace, key: "secret.turn", value: others };
    store.faster = () => store.commit([{ kind: "record.put", ...record }]);
    assert.deepEqual(await keptSecret(store, new SeededRandom(), "turn"), others);
    const own = await keptSecret(store, new SeededRandom(), "renewal");
    assert.equal(own.length, 32);
    assert.notDeepEqual(own, others);
    assert.deepEqual(await keptSecret(store, new SeededRandom(), "renewal"), own);
  });

  it("fails when the store is lost, rather than try for ever", async () => {
    class LostStore extends MemoryStore {
      override async commit(): Promise<void> {
        throw new ActrError("lease_lost", "another owner took over");
      }
    }
    const making = keptSecret(new LostStore(), new SeededRandom(), "turn");
    await assert.rejects(making, { code: "lease_lost" });
  });
});
