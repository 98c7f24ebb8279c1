import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { toBase64, utf8 } from "../../../src/protocol/bytes.ts";
import { RegisterAuthMode } from "../../../src/protocol/schema.ts";
import { AisWorld, type Answered, type RegisterFields, registration } from "./ais_world.ts";
import { Maker, target, type } from "./maker.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/behaviour.json", import.meta.url), "utf8"),
) as { manufacturer_signed_at_window: { delta: number; code: number | null }[] };

const minute = 60_000;

const acme = await Maker.from(0x2b);
const other = await Maker.from(0x2c);
const trusting = { manufacturers: [{ name: "acme", keys: [acme.publicKey] }] };

async function outcome(world: AisWorld, fields: RegisterFields, as = type): Promise<string> {
  const { status, code, message, ok }: Answered = await world.register(registration(fields, as));
  assert.equal(status, 200);
  return ok === undefined ? `${code} ${message}` : "ok";
}

const unproven = "403 manufacturer not verified or not registered";
const malformed = "400 Invalid credential format";

describe("a package that its manufacturer has proven", () => {
  it("registers, and what it announces is kept", async () => {
    const world = await AisWorld.open(trusting);
    const proof = await acme.prove(world.now);
    const ok = await world.enter({ ...proof, wsAddress: "ws://10.0.0.7/ws" });
    assert.equal(ok.actrId?.type?.name, "echo");
    assert.equal((await world.renew(ok)).status, 200);
  });

  for (const { delta, code } of vectors.manufacturer_signed_at_window) {
    it(`[V-behaviour.manufacturer_signed_at_window] signed ${delta} s from now: ${code ?? "ok"}`, async () => {
      const world = await AisWorld.open(trusting);
      const answer = await world.register(registration(await acme.prove(world.now + delta)));
      assert.equal(answer.ok === undefined ? answer.code : null, code);
      assert.equal(answer.status, 200);
    });
  }

  it("is refused without any part of its proof, before anything is looked at", async () => {
    const world = await AisWorld.open(trusting);
    const proof = await acme.prove(world.now);
    const parts = {
      mfrSignature: new Uint8Array(),
      manufacturerAuthSignature: new Uint8Array(),
      manufacturerAuthSignedAt: 0n,
      manufacturerAuthNonce: new Uint8Array(),
    };
    for (const [part, value] of Object.entries(parts)) {
      assert.equal(await outcome(world, { ...proof, [part]: value }), unproven, part);
    }
    assert.equal(await outcome(world, { ...proof, target: "" }), malformed);
    assert.equal(await outcome(world, { ...proof, target: "t".repeat(257) }), malformed);
    assert.equal(await outcome(world, { ...proof, manifestRaw: new Uint8Array() }), malformed);
    assert.equal(await outcome(world, proof, "acme:echo:"), malformed);
    assert.equal(await outcome(world, proof), "ok");
  });

  it("is told apart from linked nodes by the mode, which is that of packages unless it says linked", async () => {
    const world = await AisWorld.open(trusting);
    for (const authMode of [RegisterAuthMode.UNSPECIFIED, 7 as never]) {
      assert.equal(await outcome(world, { ...(await acme.prove(world.now)), authMode }), "ok");
    }
    const linked = { ...(await acme.prove(world.now)), authMode: RegisterAuthMode.LINKED };
    assert.equal(await outcome(world, linked), malformed);
  });

  it("is refused with a nonce of another length, or one used before, also after a restart", async () => {
    const world = await AisWorld.open(trusting);
    const proof = await acme.prove(world.now);
    const short = { ...proof, manufacturerAuthNonce: new Uint8Array(17) };
    assert.match(await outcome(world, short), /^400 Invalid nonce/);
    const both = await Promise.all([outcome(world, proof), outcome(world, proof)]);
    const used = "403 manufacturer nonce has been used";
    assert.deepEqual(both.sort(), [used, "ok"]);
    assert.equal(await outcome(await world.restart(trusting), proof), used);
  });

  it("does not lose its nonce to one who cannot sign", async () => {
    const world = await AisWorld.open(trusting);
    const proof = await acme.prove(world.now);
    const forged = { ...proof, manufacturerAuthSignature: new Uint8Array(64) };
    assert.equal(await outcome(world, forged), unproven);
    assert.equal(await outcome(world, proof), "ok");
  });

  it("forgets nonces once no proof with them counts", async () => {
    const world = await AisWorld.open(trusting);
    await world.enter(await acme.prove(world.now));
    await world.clock.advance(10 * minute);
    assert.equal(await world.ais.nonces.expire(), 0);
    await world.clock.advance(1);
    assert.equal(await world.ais.nonces.expire(), 1);
    assert.deepEqual(await world.store.records("rendezvous.nonces", "", 9), []);
  });

  it("is refused with a manifest that cannot be read", async () => {
    const world = await AisWorld.open(trusting);
    const unreadable = ["signing_key_id = ", "name = 'echo'", "signing_key_id = ''"];
    for (const manifest of unreadable) {
      const proof = await acme.prove(world.now, { manifest });
      assert.match(await outcome(world, proof), /^400 Invalid manifest/, manifest);
    }
    const junk = { ...(await acme.prove(world.now)), manifestRaw: Uint8Array.of(0xff, 0xfe) };
    assert.match(await outcome(world, junk), /^400 Invalid manifest/);
    const nested = { ...junk, manifestRaw: utf8(`a = ${"[".repeat(100_000)}`) };
    assert.match(await outcome(world, nested), /^400 Invalid manifest/);
  });

  it("is refused with a manifest or a proof of something else", async () => {
    const world = await AisWorld.open(trusting);
    const proof = await acme.prove(world.now);
    assert.equal(await outcome(world, proof, "acme:echo:1.0.1"), unproven);
    assert.equal(await outcome(world, proof, "umbrella:echo:1.0.0"), unproven);
    assert.equal(await outcome(world, { ...proof, target: "x86_64" }), unproven);
    assert.equal(await outcome(world, { ...proof, realm: { realmId: 2 } }), unproven);
    const unsigned = { ...proof, mfrSignature: new Uint8Array(64) };
    assert.equal(await outcome(world, unsigned), unproven);
    const next = "acme:echo:1.0.1";
    const misled = await acme.prove(world.now, { actrType: next });
    assert.equal(await outcome(world, misled, next), unproven);
    const edited = utf8(`${new TextDecoder().decode(proof.manifestRaw)}\n`);
    assert.equal(await outcome(world, { ...proof, manifestRaw: edited }), unproven);
    const signedAt = BigInt(world.now - 1);
    assert.equal(await outcome(world, { ...proof, manufacturerAuthSignedAt: signedAt }), unproven);
    const targetless = acme.manifest().replace(/target.*/, "");
    const without = await acme.prove(world.now, { manifest: targetless });
    assert.equal(await outcome(world, without), "400 Invalid manifest: no binary.target");
  });

  it("is refused with a key that nobody knows, and one that only claims another's name", async () => {
    const world = await AisWorld.open(trusting);
    const unknown = await other.prove(world.now);
    assert.equal(await outcome(world, unknown), "500 manufacturer key not found");
    const manifest = acme.manifest();
    assert.equal(await outcome(world, await other.prove(world.now, { manifest })), unproven);
  });
});

describe("a package that is published", () => {
  it("registers with its manifest alone, in every realm, and with no other", async () => {
    const world = await AisWorld.open();
    const manifest = utf8(acme.manifest());
    await world.ais.packages.publish({ type, target, manifest }, world.clock.now());
    const fields = { authMode: RegisterAuthMode.PACKAGE, target, manifestRaw: manifest };
    assert.equal(await outcome(world, fields), "ok");
    assert.equal(await outcome(world, { ...fields, realm: { realmId: 9 } }), "ok");
    const changed = { ...fields, manifestRaw: utf8(acme.manifest(["extra = 1"])) };
    assert.equal(await outcome(world, changed), unproven);
    assert.equal(await outcome(world, { ...fields, target: "other" }), unproven);
    assert.equal(await outcome(await world.restart(), fields), "ok");
  });

  it("has no second chance: not with a proof of another manifest, nor once it is revoked", async () => {
    const world = await AisWorld.open(trusting);
    const manifest = utf8(acme.manifest(["build = 1"]));
    await world.ais.packages.publish({ type, target, manifest }, world.clock.now());
    assert.equal(await outcome(world, await acme.prove(world.now)), unproven);
    await world.ais.packages.revoke(type, target);
    const fields = { authMode: RegisterAuthMode.PACKAGE, target, manifestRaw: manifest };
    assert.equal(await outcome(world, fields), unproven);
    assert.equal(await outcome(world, await acme.prove(world.now)), unproven);
  });

  it("is published once for a type and target", async () => {
    const world = await AisWorld.open();
    const { packages } = world.ais;
    const manifest = utf8(acme.manifest());
    await packages.publish({ type, target, manifest }, 1);
    const again = { code: "invalid_argument", details: { reason: "exists" } };
    await assert.rejects(packages.publish({ type, target, manifest }, 2), again);
    await packages.publish({ type, target: "other", manifest }, 2);
    assert.deepEqual(
      packages
        .list()
        .map((each) => each.target)
        .sort(),
      ["other", target],
    );
    await assert.rejects(packages.revoke("acme:echo:2.0.0", target), { code: "not_found" });
  });
});

describe("manufacturers", () => {
  it("change keys one after the other, while both count", async () => {
    const world = await AisWorld.open();
    const { manufacturers } = world.ais;
    await manufacturers.trust("acme", acme.publicKey, { expiresAt: world.now + 60 });
    await manufacturers.trust("acme", other.publicKey);
    assert.equal(await outcome(world, await acme.prove(world.now)), "ok");
    assert.equal(await outcome(world, await other.prove(world.now)), "ok");
    assert.equal((await manufacturers.publicKey("acme"))?.keyId, other.keyId);
    await world.clock.advance(minute);
    const ended = "403 manufacturer key is expired";
    assert.equal(await outcome(world, await acme.prove(world.now)), ended);
    const restarted = await world.restart();
    assert.equal(await outcome(restarted, await other.prove(world.now)), "ok");
    assert.equal(await restarted.ais.manufacturers.publicKey("acme", acme.keyId), undefined);
  });

  it("lose a key that is revoked, and all of them while they are suspended", async () => {
    const world = await AisWorld.open();
    const { manufacturers } = world.ais;
    await manufacturers.trust("acme", acme.publicKey);
    await manufacturers.trust("acme", other.publicKey);
    await manufacturers.revoke("acme", acme.keyId);
    const revoked = "403 manufacturer key is revoked";
    assert.equal(await outcome(world, await acme.prove(world.now)), revoked);
    assert.equal(await outcome(world, await other.prove(world.now)), "ok");
    await manufacturers.setSuspended("acme", true);
    assert.equal(await outcome(world, await other.prove(world.now)), revoked);
    assert.equal(await manufacturers.publicKey("acme"), undefined);
    await manufacturers.setSuspended("acme", false);
    assert.equal(await outcome(world, await other.prove(world.now)), "ok");
  });

  it("of the options are changed by them alone; what is none is refused", async () => {
    const { manufacturers } = (await AisWorld.open(trusting)).ais;
    const refusedFor = (reason: string) => ({ code: "invalid_argument", details: { reason } });
    await assert.rejects(manufacturers.trust("acme", other.publicKey), refusedFor("configured"));
    await assert.rejects(manufacturers.revoke("acme", acme.keyId), refusedFor("configured"));
    await assert.rejects(manufacturers.trust("1acme", other.publicKey), refusedFor("name"));
    await assert.rejects(manufacturers.trust("umbrella", "AAAA"), refusedFor("key"));
    // The identity: under it everybody can sign (`spec/guest.md` §18.4).
    const weak = toBase64(Uint8Array.of(1, ...new Uint8Array(31)));
    await assert.rejects(manufacturers.trust("umbrella", weak), refusedFor("key"));
    await assert.rejects(manufacturers.setSuspended("umbrella", true), { code: "not_found" });
    await manufacturers.trust("umbrella", other.publicKey);
    await assert.rejects(manufacturers.revoke("umbrella", acme.keyId), { code: "not_found" });
    assert.deepEqual(
      manufacturers.list().map(({ name }) => name),
      ["acme", "umbrella"],
    );
    const bad = { manufacturers: [{ name: "acme", keys: ["no key"] }] };
    await assert.rejects(AisWorld.open(bad), refusedFor("key"));
  });
});
