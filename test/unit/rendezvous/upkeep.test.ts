import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { Upkeep } from "../../../src/rendezvous/upkeep.ts";
import { until } from "../../fixtures/until.ts";
import { AisWorld } from "./ais_world.ts";

const hour = 3_600_000;
const minute = 60_000;

describe("Upkeep", () => {
  it("sees what another server on the store has changed", async () => {
    const world = await AisWorld.open();
    const other = await AisWorld.open({}, world.store, world.clock);
    await using _upkeep = new Upkeep(world.ais);
    await other.ais.realms.create({ id: 1 });
    await other.ais.keys.rotate();
    assert.equal(world.ais.realms.open, true);
    await world.clock.advance(minute);
    // Keys are read by the runtime's cryptography, which no clock waits for.
    await until("it looked", () => world.ais.keys.list().length === 2, 30_000);
    assert.deepEqual(world.ais.realms.list(), other.ais.realms.list());
    assert.deepEqual(world.ais.keys.list(), other.ais.keys.list());
  });

  it("changes keys at the end of their life", async () => {
    const world = await AisWorld.open({ keyLifeMs: hour });
    await using _upkeep = new Upkeep(world.ais);
    await world.clock.advance(hour - 3 * minute);
    await until("the next is announced", () => world.ais.keys.list().length === 2, 30_000);
    assert.equal(world.ais.keys.current.keyId, 1);
    await world.clock.advance(3 * minute);
    assert.equal(world.ais.keys.current.keyId, 2);
  });

  it("forgets identities once they can no longer be issued again", async () => {
    const world = await AisWorld.open();
    const { ais, clock } = world;
    const id = fromActrIdMessage((await world.enter()).actrId);
    await clock.advance(48 * hour);
    await new Upkeep(ais)[Symbol.asyncDispose]();
    assert.ok(await ais.registrations.get(id));
    await clock.advance(1000);
    await new Upkeep(ais)[Symbol.asyncDispose]();
    assert.equal(await ais.registrations.get(id), undefined);
    assert.equal(clock.pending, 0);
  });

  it("goes on after the store failed, and leaves no timer behind", async () => {
    const world = await AisWorld.open();
    const { store, clock, ais } = world;
    const { records } = store;
    store.records = () => Promise.reject(new Error("the disk is away"));
    const upkeep = new Upkeep(ais);
    await clock.advance(minute);
    await assert.rejects(upkeep.refresh(), /disk is away/);
    store.records = records;
    const other = await AisWorld.open({}, store, clock);
    await other.ais.realms.create({ id: 1 });
    await clock.advance(minute);
    await until("it looked", () => !ais.realms.open, 30_000);
    await upkeep[Symbol.asyncDispose]();
    await upkeep[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });
});
