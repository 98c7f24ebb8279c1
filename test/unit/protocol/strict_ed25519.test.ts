import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { fromHex, utf8 } from "../../../src/protocol/bytes.ts";
import {
  importSigningKey,
  importVerifyKey,
  type SigningKey,
  sign,
  verifySignature,
} from "../../../src/protocol/signing_key.ts";
import { isStrictPoint, isStrictScalar } from "../../../src/protocol/strict_ed25519.ts";

const prime = 2n ** 255n - 19n;
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The S with which a key's holder makes R = `point` hold, if that point is the identity. */
function scalarFor(point: Uint8Array, seed: number, key: SigningKey, message: Uint8Array): bigint {
  const secret = sha512(new Uint8Array(32).fill(seed)).subarray(0, 32);
  // The bits that every secret scalar has, and has not.
  secret[0] = (secret[0] ?? 0) & 0xf8;
  secret[31] = ((secret[31] ?? 0) & 0x3f) | 0x40;
  const challenge = sha512(new Uint8Array([...point, ...key.publicKey, ...message]));
  return (fromLittleEndian(challenge) * fromLittleEndian(secret)) % groupOrder;
}

function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha512").update(bytes).digest());
}

/** All encodings of the eight points of small order, also those with a y from the prime on, or the sign of zero. */
const smallOrder = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
].map((hex) => fromHex(hex) ?? assert.fail());

describe("[GD-5] strict Ed25519", () => {
  it("takes no point of small order, in any encoding", () => {
    for (const encoded of smallOrder) assert.equal(isStrictPoint(encoded), false);
  });

  it("takes no point whose y is not below the prime", () => {
    for (let more = 0n; more < 19n; more++) {
      assert.equal(isStrictPoint(littleEndian(prime + more)), false);
      assert.equal(isStrictPoint(littleEndian(prime + more + 2n ** 255n)), false);
    }
    assert.equal(isStrictPoint(littleEndian(prime - 2n)), true);
    assert.equal(isStrictPoint(littleEndian(2n)), true);
  });

  it("takes no scalar from the group's order on", () => {
    assert.equal(isStrictScalar(littleEndian(groupOrder - 1n)), true);
    assert.equal(isStrictScalar(littleEndian(0n)), true);
    for (const value of [groupOrder, groupOrder + 1n, 2n ** 253n, 2n ** 256n - 1n]) {
      assert.equal(isStrictScalar(littleEndian(value)), false);
    }
  });

  it("imports no key under which everybody can sign", async () => {
    for (const encoded of smallOrder) {
      await assert.rejects(importVerifyKey(encoded), {
        code: "invalid_argument",
        message: /everybody can sign/,
      });
    }
    await assert.rejects(importVerifyKey(littleEndian(prime + 5n)), { code: "invalid_argument" });
  });

  it("takes no signature whose R proves nothing, or whose S is another form of one", async () => {
    const key = await importSigningKey(new Uint8Array(32).fill(9));
    const verifier = await importVerifyKey(key.publicKey);
    const message = utf8("signed");
    const signature = await sign(key, message);
    assert.ok(await verifySignature(verifier, signature, message));
    for (const point of smallOrder) {
      const forged = new Uint8Array([...point, ...littleEndian(scalarFor(point, 9, key, message))]);
      assert.equal(await verifySignature(verifier, forged, message), false);
    }
    const scalar = fromLittleEndian(signature.subarray(32));
    for (let more = scalar + groupOrder; more < 2n ** 256n; more += groupOrder) {
      const other = new Uint8Array([...signature.subarray(0, 32), ...littleEndian(more)]);
      assert.equal(await verifySignature(verifier, other, message), false);
    }
  });

  it("takes what honest keys sign", async () => {
    for (let seed = 1; seed <= 64; seed++) {
      const key = await importSigningKey(new Uint8Array(32).fill(seed));
      const message = utf8(`message ${seed}`);
      const verifier = await importVerifyKey(key.publicKey);
      assert.ok(await verifySignature(verifier, await sign(key, message), message));
    }
  });
});
