import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { sqldMissing } from "../fixtures/sqld.ts";
import { killServers } from "./rendezvous_series.ts";

describe("two rendezvous on one libSQL server", { skip: sqldMissing }, () => {
  it("are killed under load: nodes go on with the other, and no registration is lost", async () => {
    const random = new SeededRandom(1);
    const more = (kills: number): boolean => kills < 2;
    const settings = { servers: 2, nodes: 6, direct: true, leaseMs: 10_000, quietMs: 300 };
    const { kills, lost, registrations, came } = await killServers({ ...settings, random, more });
    assert.equal(kills, 2);
    assert.equal(lost, 0);
    assert.ok(registrations > 6, `${registrations} registrations`);
    assert.ok(came > 0, "no relay came under load");
  });
});
