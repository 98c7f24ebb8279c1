import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import type { Credential } from "../../../src/protocol/credential_codec.ts";
import { formatActrId, parseActrId } from "../../../src/protocol/ids.ts";
import { importSigningKey } from "../../../src/protocol/signing_key.ts";
import { CredentialCheck } from "../../../src/rendezvous/ais/credential_check.ts";
import { KeyRing } from "../../../src/rendezvous/ais/keys.ts";
import { resolveRendezvousOptions } from "../../../src/rendezvous/options.ts";
import { RacedStore } from "./raced_store.ts";

const hour = 3_600_000;
const minute = 60_000;
/** How long a new key is known before it signs. */
const announced = 3 * minute;
const terms = resolveRendezvousOptions({ keyLifeMs: 24 * hour, keyToleranceMs: 2 * hour });
const id = parseActrId("1@7/acme:echo:1.0.0");
const denied = { code: "permission_denied" };

class World {
  readonly clock = new FakeClock();
  readonly store = new RacedStore();
  #servers = 0;

  /** A server with randomness of its own; several share the store. */
  async open(): Promise<KeyRing> {
    const { clock, store } = this;
    return await KeyRing.open({ clock, store, random: new SeededRandom(++this.#servers) }, terms);
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  async sign(keys: KeyRing, lifeMs = 24 * hour): Promise<Credential> {
    const expiresAt = this.now + lifeMs / 1000;
    return await keys.sign({ realm: id.realm, actorId: formatActrId(id), expiresAt });
  }

  async verify(keys: KeyRing, credential: Credential): Promise<void> {
    await keys.verify(credential, { now: this.now, realm: id.realm });
  }
}

describe("KeyRing", () => {
  it("signs with a new key once it was announced, and lets the old one count for the tolerance", async () => {
    const world = new World();
    const keys = await world.open();
    const old = await world.sign(keys);
    const { keyId, signsFrom } = await keys.rotate();
    assert.equal(keyId, 2);
    assert.equal(signsFrom, world.clock.now() + announced);
    assert.equal(keys.publicKey(2)?.length, 32);
    assert.equal(keys.current.keyId, 1);
    assert.equal(keys.inTolerance(1), false);
    await world.clock.advance(announced);
    assert.equal(keys.current.keyId, 2);
    assert.equal(keys.inTolerance(1), true);
    assert.equal((await world.sign(keys)).keyId, 2);
    await world.clock.advance(2 * hour - 1);
    await world.verify(keys, old);
    await world.clock.advance(1);
    await assert.rejects(world.verify(keys, old), denied);
    assert.equal(keys.publicKey(1), undefined);
  });

  it("changes keys by itself at the end of one's life and forgets those that ended", async () => {
    const world = new World();
    const keys = await world.open();
    await world.clock.advance(24 * hour - announced - 1);
    await keys.maintain();
    assert.deepEqual(
      keys.list().map(({ keyId }) => keyId),
      [1],
    );
    await world.clock.advance(1);
    await keys.maintain();
    await keys.maintain();
    assert.deepEqual(
      keys.list().map(({ keyId }) => keyId),
      [1, 2],
    );
    assert.equal(keys.list()[0]?.endsAt, world.clock.now() + announced + 2 * hour);
    await world.clock.advance(announced + 2 * hour);
    await keys.maintain();
    const left = await world.store.records("rendezvous.keys", "", 9);
    assert.deepEqual(
      left.map(({ key }) => Number(key)),
      [2],
    );
  });

  it("is the same for every server on the store, also when all change keys at once", async () => {
    const world = new World();
    const [one, two] = await Promise.all([world.open(), world.open()]);
    assert.deepEqual(one.current, two.current);
    await world.clock.advance(24 * hour);
    await Promise.all([one.maintain(), two.maintain(), one.rotate(), two.rotate()]);
    await Promise.all([one.refresh(), two.refresh()]);
    assert.deepEqual(one.list(), two.list());
    await world.clock.advance(announced);
    assert.deepEqual(one.current, two.current);
    assert.ok(one.current.keyId > 1);
    await world.verify(two, await world.sign(one));
  });

  it("leaves the key alone that another server was faster to make", async () => {
    const world = new World();
    const [one, two] = [await world.open(), await world.open()];
    world.store.faster = () => two.rotate({ inMs: 0 });
    await one.rotate({ inMs: 0 });
    assert.deepEqual(one.list(), two.list());
    await world.verify(one, await world.sign(two));
    const left = await world.store.records("rendezvous.keys", "", 9);
    assert.equal(left.length, 2);
    assert.deepEqual((await world.open()).current, two.current);
  });

  it("looks for a key that it does not know, yet not for every stranger's", async () => {
    const world = new World();
    const [one, two] = [await world.open(), await world.open()];
    await assert.rejects(world.verify(two, { ...(await world.sign(one)), keyId: 9 }), denied);
    await one.rotate({ inMs: 0 });
    const credential = await world.sign(one);
    assert.equal(credential.keyId, 2);
    await assert.rejects(world.verify(two, credential), denied);
    await world.clock.advance(1000);
    await world.verify(two, credential);
    assert.deepEqual(two.current, one.current);
  });

  it("revokes a key that no longer signs, at once", async () => {
    const world = new World();
    const keys = await world.open();
    const old = await world.sign(keys);
    await assert.rejects(keys.revoke(1), { code: "invalid_argument" });
    await assert.rejects(keys.revoke(7), { code: "not_found" });
    await keys.rotate({ inMs: 0 });
    await keys.revoke(1);
    await assert.rejects(world.verify(keys, old), denied);
    await assert.rejects(world.verify(await world.open(), old), denied);
    await world.verify(keys, await world.sign(keys));
  });

  it("ends an old key by the first that follows, though one before that is announced for later", async () => {
    const world = new World();
    const keys = await world.open();
    await keys.rotate({ inMs: 100 * hour });
    await keys.rotate({ inMs: 0 });
    await keys.rotate({ inMs: 50 * hour });
    assert.equal(keys.current.keyId, 3);
    assert.equal(keys.list()[0]?.endsAt, world.clock.now() + 2 * hour);
    await assert.rejects(keys.rotate({ inMs: -1 }), { code: "invalid_argument" });
    await assert.rejects(keys.rotate({ inMs: Number.NaN }), { code: "invalid_argument" });
  });

  it("reads the key of a store from before keys changed", async () => {
    const world = new World();
    const seed = new Uint8Array(32).fill(0x2a);
    const record = { space: "rendezvous.keys", key: "0000000001", value: seed };
    await world.store.commit([{ kind: "record.put", ...record }]);
    const keys = await world.open();
    const { publicKey } = await importSigningKey(seed);
    assert.deepEqual(keys.current, { keyId: 1, publicKey });
  });
});

describe("CredentialCheck", () => {
  async function checked(world: World, keys: KeyRing): Promise<[CredentialCheck, Credential]> {
    const check = new CredentialCheck(keys, world.clock, id);
    const credential = await world.sign(keys, hour);
    await check.check(credential);
    return [check, credential];
  }

  it("warns in the last third of a credential's life", async () => {
    const world = new World();
    const [check] = await checked(world, await world.open());
    assert.equal(check.warning(hour), undefined);
    await world.clock.advance(40 * minute);
    assert.match(check.warning(hour) ?? "", /expires in 1200 s/);
  });

  it("warns when another key signs, and refuses what a revoked one signed", async () => {
    const world = new World();
    const keys = await world.open();
    const [check, credential] = await checked(world, keys);
    await keys.rotate({ inMs: 0 });
    assert.match(check.warning(hour) ?? "", /replaced/);
    assert.equal(check.check(credential), undefined);
    await keys.revoke(1);
    await assert.rejects(async () => await check.check(credential), denied);
  });
});
