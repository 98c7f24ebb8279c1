import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { Realms } from "../../../src/rendezvous/ais/realms.ts";
import {
  type RendezvousOptions,
  resolveRendezvousOptions,
} from "../../../src/rendezvous/options.ts";
import { RacedStore } from "./raced_store.ts";

const hour = 3_600_000;
const required = { code: 403, message: "Realm secret required" };
const invalid = { code: 403, message: "Invalid realm secret" };

function refusedFor(reason: string) {
  return { code: "invalid_argument", details: { reason } };
}

class World {
  readonly clock = new FakeClock();
  readonly random = new SeededRandom();
  readonly store = new RacedStore();

  /** A server; several share the store. */
  async open(options: RendezvousOptions = {}): Promise<Realms> {
    return await Realms.open(this, resolveRendezvousOptions(options));
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

function notFound(id: number) {
  return { code: 403, message: `Realm validation failed: Realm ${id} not found` };
}

describe("Realms", () => {
  it("are all open as long as there is none", async () => {
    const realms = await new World().open();
    assert.equal(realms.open, true);
    assert.equal(realms.refusal(7), undefined);
    assert.equal(await realms.secretRefusal(7, undefined), undefined);
    await realms.create({ id: 1 });
    assert.equal(realms.open, false);
    assert.deepEqual(realms.refusal(7), notFound(7));
  });

  it("are created with a secret that is told once, and kept", async () => {
    const world = new World();
    const realms = await world.open();
    const { realm, secret = "" } = await realms.create({ name: "staging" });
    assert.match(secret, /^rs_[A-Za-z0-9_-]{32}$/);
    const { id } = realm;
    assert.equal(id, 33_554_432);
    assert.equal((await realms.create()).realm.id, id + 1);
    const again = await world.open();
    assert.deepEqual(again.get(id), realm);
    assert.deepEqual(
      again.list().map((each) => each.id),
      [id, id + 1],
    );
    assert.deepEqual(await again.secretRefusal(id, undefined), required);
    assert.deepEqual(await again.secretRefusal(id, " \t"), required);
    assert.deepEqual(await again.secretRefusal(id, `${secret}x`), invalid);
    assert.equal(await again.secretRefusal(id, ` ${secret} `), undefined);
    const kept = await world.store.records("rendezvous.realms", "", 9);
    assert.ok(!kept.some(({ value }) => new TextDecoder().decode(value).includes(secret)));
  });

  it("may ask for no secret, have one of the operator's, and an end", async () => {
    const world = new World();
    const realms = await world.open();
    const { secret } = await realms.create({ id: 1, secret: null, expiresAt: world.now + 3600 });
    assert.equal(secret, undefined);
    assert.equal(await realms.secretRefusal(1, undefined), undefined);
    await realms.create({ id: 2, secret: "my own" });
    assert.equal(await realms.secretRefusal(2, "my own"), undefined);
    await world.clock.advance(hour - 1000);
    assert.equal(realms.refusal(1), undefined);
    await world.clock.advance(1000);
    const expired = { code: 403, message: "Realm validation failed: Realm 1 has expired" };
    assert.deepEqual(realms.refusal(1), expired);
  });

  it("have two secrets for a while when one is rotated", async () => {
    const world = new World();
    const realms = await world.open();
    const { secret: first = "" } = await realms.create({ id: 1 });
    const { realm, secret: second = "" } = await realms.rotateSecret(1);
    assert.equal(realm.previousSecretUntil, world.now + 4 * 3600);
    assert.notEqual(second, first);
    assert.equal(await realms.secretRefusal(1, first), undefined);
    await world.clock.advance(4 * hour - 1000);
    assert.equal(await realms.secretRefusal(1, first), undefined);
    await world.clock.advance(1000);
    assert.deepEqual(await realms.secretRefusal(1, first), invalid);
    assert.equal(await realms.secretRefusal(1, second), undefined);
    assert.equal(realms.get(1)?.previousSecretUntil, undefined);
    await realms.rotateSecret(1, { secret: "third", graceMs: 0 });
    assert.deepEqual(await realms.secretRefusal(1, second), invalid);
    assert.equal(await realms.secretRefusal(1, "third"), undefined);
  });

  it("forget the secret before the last at the next rotation", async () => {
    const realms = await new World().open();
    const { secret: first = "" } = await realms.create({ id: 1 });
    const { secret: second = "" } = await realms.rotateSecret(1);
    await realms.rotateSecret(1);
    assert.deepEqual(await realms.secretRefusal(1, first), invalid);
    assert.equal(await realms.secretRefusal(1, second), undefined);
  });

  it("are disabled and enabled, also for another server on the store", async () => {
    const world = new World();
    const [realms, other] = [await world.open(), await world.open()];
    await realms.create({ id: 1 });
    assert.equal(await other.arrivalRefusal(1), undefined);
    assert.equal((await realms.setEnabled(1, false)).enabled, false);
    const disabled = { code: 403, message: "Realm validation failed: Realm 1 is disabled" };
    assert.deepEqual(realms.refusal(1), disabled);
    assert.equal(other.refusal(1), undefined);
    await other.refresh();
    assert.deepEqual(other.refusal(1), disabled);
    await realms.setEnabled(1, true);
    assert.deepEqual(other.refusal(1), disabled);
    assert.equal(await other.arrivalRefusal(1), undefined);
  });

  it("have the secret that another server on the store has given them", async () => {
    const world = new World();
    const [realms, other] = [await world.open(), await world.open()];
    await realms.create({ id: 1 });
    await other.refresh();
    const { secret } = await realms.rotateSecret(1);
    assert.equal(await other.secretRefusal(1, secret), undefined);
    assert.deepEqual(await other.secretRefusal(1, "guess"), invalid);
  });

  it("keep every change when two servers make them at once", async () => {
    const world = new World();
    const [realms, other] = [await world.open(), await world.open()];
    await realms.create({ id: 1, name: "kept" });
    world.store.faster = () => other.setEnabled(1, false);
    const rotated = await realms.rotateSecret(1);
    await Promise.all([realms.refresh(), other.refresh()]);
    assert.deepEqual(realms.get(1), other.get(1));
    assert.equal(realms.get(1)?.enabled, false);
    assert.equal(await other.secretRefusal(1, rotated.secret), undefined);
    world.store.faster = () => other.create({ id: 2, name: "faster" });
    await assert.rejects(realms.create({ id: 2 }), refusedFor("exists"));
    assert.equal((await world.open()).get(2)?.name, "faster");
  });

  it("of the options are changed by them alone", async () => {
    const world = new World();
    const kept = await world.open();
    await kept.create({ id: 1 });
    const configured = [{ id: 1, secret: "new", previousSecret: "old" }, { id: 2 }];
    const realms = await world.open({ realms: configured });
    assert.equal(await realms.arrivalRefusal(1), undefined);
    assert.equal(await realms.secretRefusal(1, "new"), undefined);
    assert.equal(await realms.secretRefusal(1, "old"), undefined);
    assert.deepEqual(await realms.secretRefusal(1, "other"), invalid);
    assert.equal(await realms.secretRefusal(2, undefined), undefined);
    const { previousSecretUntil, configured: named } = realms.get(1) ?? {};
    assert.deepEqual([previousSecretUntil, named], [null, true]);
    await assert.rejects(realms.setEnabled(1, false), refusedFor("configured"));
    await assert.rejects(realms.rotateSecret(2), refusedFor("configured"));
    await assert.rejects(realms.create({ id: 2 }), refusedFor("exists"));
    assert.deepEqual(await realms.arrivalRefusal(3), notFound(3));
  });

  it("refuse what cannot be one, and tell that there is none", async () => {
    const realms = await new World().open();
    for (const id of [-1, 1.5, 2 ** 32, Number.NaN]) {
      await assert.rejects(realms.create({ id }), refusedFor("id"));
    }
    for (const secret of ["", " a", "a\n", "ü", "a".repeat(257)]) {
      await assert.rejects(realms.create({ id: 1, secret }), refusedFor("secret"));
    }
    await realms.create({ id: 1, secret: "a".repeat(256) });
    await assert.rejects(realms.create({ id: 1 }), refusedFor("exists"));
    await assert.rejects(realms.rotateSecret(2), { code: "not_found" });
    await assert.rejects(realms.rotateSecret(1, { secret: "" }), refusedFor("secret"));
    await assert.rejects(realms.rotateSecret(1, { graceMs: -1 }), refusedFor("graceMs"));
  });
});
