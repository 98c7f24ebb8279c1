import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { dialText, newDial, proofOf, readDial } from "../../../src/rendezvous/cluster/handshake.ts";

const secret = new Uint8Array(32).fill(7);

describe("the greeting of servers", () => {
  const [clock, random] = [new FakeClock(), new SeededRandom()];

  it("passes with the secret, for the server that was dialled", async () => {
    const dial = newDial(2, 1, clock, random);
    const text = await dialText(dial, secret);
    assert.deepEqual(await readDial(text, 1, secret, clock), dial);
    assert.equal(await readDial(text, 3, secret, clock), undefined, "another server");
    assert.equal(await readDial(text, 1, new Uint8Array(32), clock), undefined, "another secret");
    assert.equal(await readDial(undefined, 1, secret, clock), undefined);
  });

  it("fails with any part changed", async () => {
    const text = await dialText(newDial(2, 1, clock, random), secret);
    const parts = text.split(".");
    for (const [at, part] of parts.entries()) {
      const changed = parts.map((each, index) =>
        index === at ? part.replace(/.$/, (last) => (last === "1" ? "2" : "1")) : each,
      );
      assert.equal(
        await readDial(changed.join("."), 1, secret, clock),
        undefined,
        changed.join("."),
      );
    }
    for (const junk of ["", "a.b.c.d.e", `${text}.1`, "9".repeat(10_000)]) {
      assert.equal(await readDial(junk, 1, secret, clock), undefined);
    }
  });

  it("grows old within a minute, by either clock", async () => {
    const text = await dialText(newDial(2, 1, clock, random), secret);
    const at = async (ms: number) =>
      await readDial(text, 1, secret, new FakeClock(clock.now() + ms));
    assert.ok((await at(60_000)) && (await at(-60_000)));
    assert.deepEqual([await at(60_001), await at(-60_001)], [undefined, undefined]);
  });

  it("proves each side by something else", async () => {
    const dial = newDial(2, 1, clock, random);
    const sides = [await proofOf("dial", dial, secret), await proofOf("accept", dial, secret)];
    assert.notDeepEqual(sides[0], sides[1]);
  });
});
