import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { openStore } from "../../../adapters/sql/open.ts";
import type { Store, StoreChange } from "../../../src/ports/store.ts";
import { Nonces } from "../../../src/rendezvous/ais/nonces.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { temporaryFolder } from "../../adapters/temporary_folder.ts";
import { RacedStore } from "./raced_store.ts";

const nonce = new Uint8Array(16).fill(1);

describe("Nonces", () => {
  it("are used up once by those who come at the same moment, which share a transaction", async () => {
    const [clock, random] = [new FakeClock(), new SeededRandom()];
    await using folder = await temporaryFolder();
    const url = `file:${folder.path}/nonces.db`;
    await using store = await openStore(url, { clock, random }, AbortSignal.timeout(60_000));
    const { promise: allHaveRead, resolve: go } = withResolvers<void>();
    const slow = {
      async record(space: string, key: string) {
        const value = await store.record(space, key);
        await allHaveRead;
        return value;
      },
      commit: (changes: readonly StoreChange[]) => store.commit(changes),
    } as unknown as Store;
    const nonces = new Nonces({ store: slow, clock });
    const takes = [1, 2, 3].map(() => nonces.take("acme/key", nonce));
    await clock.settle();
    go();
    assert.deepEqual(await Promise.all(takes), [true, false, false]);
    assert.equal(await nonces.take("acme/key", nonce), false);
    assert.equal(await nonces.take("acme/other", nonce), true);
    assert.equal(await nonces.take("acme/key", new Uint8Array(16)), true);
  });

  it("are used up by the faster one of two servers", async () => {
    const [clock, store] = [new FakeClock(), new RacedStore()];
    const [one, two] = [new Nonces({ store, clock }), new Nonces({ store, clock })];
    store.faster = async () => assert.equal(await two.take("acme/key", nonce), true);
    assert.equal(await one.take("acme/key", nonce), false);
  });

  it("are not lost when the store fails", async () => {
    const [clock, store] = [new FakeClock(), new RacedStore()];
    const nonces = new Nonces({ store, clock });
    store.faster = () => Promise.reject(new Error("the disk is away"));
    await assert.rejects(nonces.take("acme/key", nonce), /disk is away/);
    assert.equal(await nonces.take("acme/key", nonce), true);
  });
});
