import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { AisClient } from "../../../src/identity/ais_client.ts";
import { type PackageRegistration, provenBy } from "../../../src/identity/package_registration.ts";
import { toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { sha256 } from "../../../src/protocol/crypto.ts";
import { manufacturerProofText } from "../../../src/protocol/manufacturer.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  type RegisterRequest,
  RegisterRequestSchema,
  RegisterResponseSchema,
} from "../../../src/protocol/schema.ts";
import {
  importSigningKey,
  importVerifyKey,
  verifySignature,
} from "../../../src/protocol/signing_key.ts";
import { never } from "../identity/support.ts";

const type = { manufacturer: "acme", name: "echo", version: "1.0.0" };
const its: PackageRegistration = {
  manifest: utf8('manufacturer = "acme"'),
  signature: new Uint8Array(64).fill(7),
  target: "wasm32-wasip2",
};

/** A client of a service that refuses everything, and what it was asked. */
function refusingAis() {
  const asked: RegisterRequest[] = [];
  const error = { code: 403, message: "manufacturer not verified or not registered" };
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    asked.push(decode(RegisterRequestSchema, init.body as Uint8Array));
    return new Response(
      encode(RegisterResponseSchema, { result: { case: "error", value: error } }),
    );
  };
  const ais = new AisClient({ fetch, clock: new FakeClock() }, { url: "http://ais.example/ais" });
  return { ais, asked };
}

describe("registration of a package", () => {
  it("[G-52] [G-53] [GD-23] sends manifest, signature, target, mode and address; a refusal is told with its code", async () => {
    const { ais, asked } = refusingAis();
    const registration = { type, realm: 7, wsAddress: "ws://here:1/ws", package: its };
    await assert.rejects(ais.register(registration, { signal: never }), (error) => {
      assert.ok(ActrError.is(error));
      assert.equal(error.code, "registration");
      assert.equal(error.details?.["code"], 403);
      assert.match(error.message, /code 403.*manufacturer not verified/);
      return true;
    });
    const [request] = asked;
    assert.equal(request?.authMode, RegisterAuthMode.PACKAGE);
    assert.deepEqual(request.manifestRaw, its.manifest);
    assert.deepEqual(request.mfrSignature, its.signature);
    assert.equal(request.target, its.target);
    assert.equal(request.wsAddress, "ws://here:1/ws");
    assert.equal(request.manufacturerAuthNonce.length, 0, "published: no proof");
  });

  it("asks the manufacturer anew for every registration: a nonce counts once", async () => {
    const { ais, asked } = refusingAis();
    const key = await importSigningKey(new Uint8Array(32).fill(3));
    const clock = new FakeClock();
    const proof = provenBy(key, { clock, random: new SeededRandom(1) });
    const registration = { type, realm: 7, package: { ...its, proof } };
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(ais.register(registration, { signal: never }));
      await clock.advance(5_000);
    }
    const nonces = asked.map(({ manufacturerAuthNonce }) => toHex(manufacturerAuthNonce));
    assert.equal(new Set(nonces).size, 2);
    assert.ok(nonces.every(({ length }) => length === 64));
    const verifying = await importVerifyKey(key.publicKey);
    for (const request of asked) {
      const text = manufacturerProofText({
        realm: 7,
        actrType: "acme:echo:1.0.0",
        target: its.target,
        manifestSha256Hex: toHex(await sha256(its.manifest)),
        signedAt: Number(request.manufacturerAuthSignedAt),
        nonce: request.manufacturerAuthNonce,
      });
      assert.ok(await verifySignature(verifying, request.manufacturerAuthSignature, utf8(text)));
    }
  });
});
