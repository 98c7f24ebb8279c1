import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Asked } from "./asked.ts";
import { target } from "./maker.ts";

const adminToken = "an-operator-s-token";
const type = "acme:echo:1.0.0";
/** The public key of a seed of 32 bytes 0x2b, and its name (`spec/protocol.md` §16). */
const publicKey = "RQigeqlBcH8+stuUyIl6gLLBGXR2tt4hOsJz332GxP8=";
const keyId = "mfr-26f3cfc4e47f7036";
const manifest = [
  'manufacturer = "acme"\nname = "echo"\nversion = "1.0.0"',
  `signing_key_id = "${keyId}"\n[binary]\ntarget = "${target}"\n`,
].join("\n");

describe("operators", () => {
  it("say whose signatures count", async () => {
    await using asked = await Asked.open({ adminToken });
    const path = "/admin/manufacturers/acme";
    const trusted = await asked.post(`${path}/keys`, { publicKey, expiresAt: 9_999_999_999 });
    const key = { keyId, publicKey, expiresAt: 9_999_999_999 };
    assert.deepEqual(trusted, { status: 201, body: { key } });
    const listed = { manufacturers: [{ name: "acme", suspended: false, keys: [key] }] };
    assert.deepEqual((await asked.get("/admin/manufacturers")).body, listed);
    const shown = async () => (await asked.get("/mfr/acme/verifying_key")).status;
    assert.equal(await shown(), 200);
    assert.equal((await asked.post(`${path}/suspend`)).status, 200);
    assert.equal(await shown(), 404);
    assert.equal((await asked.post(`${path}/reinstate`)).status, 200);
    assert.equal(await shown(), 200);
    assert.equal((await asked.post(`${path}/keys/${keyId}/revoke`)).status, 200);
    assert.equal(await shown(), 404);
    const events = ["key_trusted", "suspended", "reinstated", "key_revoked"];
    for (const event of events) {
      assert.match(
        asked.log.lines.join("\n"),
        new RegExp(`rendezvous.audit.manufacturer_${event}`),
      );
    }
  });

  it("publish packages, and take them back", async () => {
    await using asked = await Asked.open({ adminToken });
    assert.equal(await asked.enter(manifest), 403);
    const { status, body } = await asked.post("/admin/packages", { manifest });
    assert.equal(status, 201);
    const published = (body as { package: object }).package;
    assert.deepEqual(Object.keys(published).sort(), [
      ...["manifestSha256", "publishedAt", "target", "type"],
    ]);
    assert.deepEqual((await asked.get("/admin/packages")).body, { packages: [published] });
    assert.equal(await asked.enter(manifest), 200);
    assert.equal((await asked.post("/admin/packages", { manifest })).status, 409);
    assert.equal((await asked.post("/admin/packages/revoke", { type, target })).status, 200);
    assert.equal(await asked.enter(manifest), 403);
  });

  it("are told what is wrong", async () => {
    await using asked = await Asked.open({ adminToken });
    const status = async (path: string, body?: unknown) =>
      (await asked.post(`/admin${path}`, body)).status;
    assert.equal(await status("/manufacturers/acme/keys", { publicKey: "no key" }), 400);
    assert.equal(await status("/manufacturers/1acme/keys", { publicKey }), 400);
    assert.equal(await status("/manufacturers/acme/suspend"), 404);
    assert.equal(await status(`/manufacturers/acme/keys/${keyId}/revoke`), 404);
    assert.equal(await status("/packages", { manifest: "no = TOML =" }), 400);
    assert.equal(await status("/packages", { manifest: `signing_key_id = "${keyId}"` }), 400);
    const nameless = manifest.replace('name = "echo"', "");
    assert.equal(await status("/packages", { manifest: nameless }), 400);
    assert.equal(await status("/packages", { manifest: "x".repeat(1024 * 1024) }), 413);
    assert.equal(await status("/packages/revoke", { type, target }), 404);
    assert.equal(await status("/packages/revoke", { type }), 400);
  });
});
