import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { ActrError } from "../../../src/errors.ts";
import { serialNumber } from "../../../src/protocol/serial.ts";
import { Serials } from "../../../src/rendezvous/ais/serials.ts";

/** Counts commits, and fails them on demand. */
class CountingStore extends MemoryStore {
  commits = 0;
  failing = false;
  override async commit(...args: Parameters<MemoryStore["commit"]>): Promise<void> {
    this.commits++;
    if (this.failing) throw new ActrError("storage", "the disk is full");
    await super.commit(...args);
  }
}

function ascending(serials: readonly bigint[]): boolean {
  return serials.every((serial, at) => at === 0 || serial > (serials[at - 1] as bigint));
}

async function take(serials: Serials, count: number): Promise<bigint[]> {
  return await Promise.all(Array.from({ length: count }, () => serials.next()));
}

describe("Serials", () => {
  it("stamps time, worker and number", async () => {
    const clock = new FakeClock();
    const serials = await Serials.open(new MemoryStore(), clock, 3);
    assert.equal(await serials.next(), serialNumber(clock.now(), 3, 0));
    assert.equal(await serials.next(), serialNumber(clock.now(), 3, 1));
  });

  it("ascends beyond what one millisecond holds, with one write per block", async () => {
    const store = new CountingStore();
    const serials = await Serials.open(store, new FakeClock(), 0);
    assert.ok(ascending(await take(serials, 2000)));
    assert.equal(store.commits, 1);
  });

  it("reserves again once time has left the block", async () => {
    const [store, clock] = [new CountingStore(), new FakeClock()];
    const serials = await Serials.open(store, clock, 0);
    const early = await serials.next();
    await clock.advance(10_000);
    const late = await serials.next();
    assert.ok(late > early);
    assert.equal(store.commits, 2);
  });

  it("never repeats after a restart, though the clock went back", async () => {
    const store = new MemoryStore();
    const first = await take(await Serials.open(store, new FakeClock(2_000_000_000_000), 0), 300);
    const restarted = await Serials.open(store.reopen(), new FakeClock(1_900_000_000_000), 0);
    assert.ok(ascending([...first, ...(await take(restarted, 300))]));
  });

  it("never repeats after a restart though another worker on the store wrote last", async () => {
    const store = new MemoryStore();
    const [fast, slow] = [new FakeClock(2_000_000_000_000), new FakeClock(1_900_000_000_000)];
    const [one, two] = [await Serials.open(store, fast, 1), await Serials.open(store, slow, 2)];
    const first = await take(one, 9);
    await take(two, 9);
    const restarted = await Serials.open(store.reopen(), slow, 1);
    assert.ok(ascending([...first, ...(await take(restarted, 9))]));
  });

  it("gives out nothing that is not reserved, and goes on when the store does", async () => {
    const store = new CountingStore();
    const serials = await Serials.open(store, new FakeClock(), 0);
    store.failing = true;
    await assert.rejects(serials.next(), /the disk is full/);
    store.failing = false;
    assert.ok((await serials.next()) > 0n);
  });

  it("never gives out what another server with the same worker has", async () => {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const servers = await Promise.all(
      [store.share(), store.share()].map((each) => Serials.open(each, clock, 0)),
    );
    const seen = new Set<bigint>();
    for (let round = 0; round < 4; round++) {
      const taken = await Promise.all(servers.map((serials) => take(serials, 300)));
      for (const serials of taken) assert.ok(ascending(serials));
      for (const serial of taken.flat()) seen.add(serial);
      await clock.advance(8_000);
    }
    assert.equal(seen.size, 4 * 2 * 300);
  });
});
