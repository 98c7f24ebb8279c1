import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBase64, toBase64, toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { sha256 } from "../../../src/protocol/crypto.ts";
import { Asked } from "./asked.ts";
import { Maker, target } from "./maker.ts";

const acme = await Maker.from(0x2b);
const other = await Maker.from(0x2c);
const manufacturers = [
  { name: "acme", keys: [acme.publicKey] },
  { name: "umbrella", keys: [other.publicKey] },
];

/** A rendezvous that knows both makers. */
function openRegistry(): Promise<Asked> {
  return Asked.open({ manufacturers });
}

async function nonceFor(registry: Asked, manufacturer = "acme"): Promise<string> {
  const { status, body } = await registry.post("/mfr/pkg/nonce", { manufacturer });
  assert.equal(status, 200);
  return body["nonce"] as string;
}

/** A publication with its signatures; `fields` before these are made, so that they fit. */
async function publication(nonce: string, fields: object = {}, by = acme): Promise<object> {
  const manifest = acme.manifest();
  const body = {
    ...{ manufacturer: "acme", name: "echo", version: "1.0.0", target, manifest },
    signature: toBase64(await by.sign(utf8(manifest))),
    proto_files: [{ name: "echo.proto", content: 'syntax = "proto3";\n' }],
    nonce,
    ...fields,
  };
  const text = [
    "ACTR-PUBLISH-V1",
    `manufacturer=${body.manufacturer}`,
    "method=POST",
    "path=/mfr/pkg/publish",
    `nonce=${toHex(fromBase64(body.nonce) ?? new Uint8Array())}`,
    `body_sha256=${toHex(await sha256(utf8(JSON.stringify(body))))}`,
  ];
  return { ...body, nonce_sig: toBase64(await by.sign(utf8(text.join("\n")))) };
}

describe("a manufacturer", () => {
  it("publishes a package, whose nodes then register with its manifest alone", async () => {
    await using registry = await openRegistry();
    assert.equal(await registry.enter(acme.manifest()), 403);
    const told = await registry.post(
      "/mfr/pkg/publish",
      await publication(await nonceFor(registry)),
    );
    const body = { id: 1, type_str: "acme:echo:1.0.0", status: "active" };
    assert.deepEqual(told, { status: 200, body });
    assert.equal(await registry.enter(acme.manifest()), 200);
  });

  it("publishes it once, each time with a nonce of its own that is not older than 300 s", async () => {
    await using registry = await openRegistry();
    const [one, two, three] = [
      ...[await nonceFor(registry), await nonceFor(registry), await nonceFor(registry)],
    ] as [string, string, string];
    assert.notEqual(one, two);
    const status = async (nonce: string) =>
      (await registry.post("/mfr/pkg/publish", await publication(nonce))).status;
    assert.equal(await status(one), 200);
    assert.equal(await status(one), 401);
    await registry.clock.advance(299_999);
    assert.equal(await status(two), 409);
    await registry.clock.advance(1);
    assert.equal(await status(three), 401);
  });

  it("is refused with what another has signed, or was not signed", async () => {
    await using registry = await openRegistry();
    const status = async (body: object) => (await registry.post("/mfr/pkg/publish", body)).status;
    const nonce = await nonceFor(registry);
    assert.equal(await status(await publication(nonce, {}, other)), 401);
    const good = await publication(nonce);
    assert.equal(await status({ ...good, nonce_sig: "" }), 401);
    assert.equal(await status({ ...good, proto_files: [] }), 401);
    assert.equal(await status(await publication(nonce, { signature: "AAAA" })), 401);
    assert.equal(await status(await publication(await nonceFor(registry, "umbrella"))), 401);
    assert.equal(await status(await publication(toBase64(new Uint8Array(32)))), 401);
    assert.equal(await status(good), 200);
  });

  it("is refused with a manifest of something else, or of nobody", async () => {
    await using registry = await openRegistry();
    const status = async (fields: object) =>
      (await registry.post("/mfr/pkg/publish", await publication(await nonceFor(registry), fields)))
        .status;
    assert.equal(await status({ version: "1.0.1" }), 400);
    assert.equal(await status({ target: "x86_64" }), 400);
    assert.equal(await status({ manufacturer: "umbrella" }), 404);
    assert.equal(await status({ manifest: "no = TOML =" }), 400);
    const unknown = await registry.post("/mfr/pkg/nonce", { manufacturer: "nobody" });
    assert.deepEqual(unknown, { status: 404, body: { error: "manufacturer not found" } });
    for (const body of ["", "[", "1", '{"manufacturer":1}']) {
      assert.ok([400, 404].includes((await registry.post("/mfr/pkg/nonce", body)).status), body);
      assert.equal((await registry.post("/mfr/pkg/publish", body)).status, 400, body);
    }
  });
});
