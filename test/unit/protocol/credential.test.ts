import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  utf8,
} from "../../../src/protocol/bytes.ts";
import { signCredential, verifyCredential } from "../../../src/protocol/credential.ts";
import {
  type Credential,
  decodeClaims,
  decodeCredential,
  encodeClaims,
  encodeCredential,
} from "../../../src/protocol/credential_codec.ts";
import { sha256 } from "../../../src/protocol/crypto.ts";
import { parseActrId } from "../../../src/protocol/ids.ts";
import { manufacturerKeyId, manufacturerProofText } from "../../../src/protocol/manufacturer.ts";
import { parsePeerHeaders, peerHeaders } from "../../../src/protocol/peer_headers.ts";
import { renewalSuccessor } from "../../../src/protocol/renewal.ts";
import { AIdCredentialSchema, decode, encode } from "../../../src/protocol/schema.ts";
import { parseSignalingQuery, signalingUrl } from "../../../src/protocol/signaling_query.ts";
import {
  importSigningKey,
  importVerifyKey,
  sign,
  verifySignature,
} from "../../../src/protocol/signing_key.ts";
import { turnCredential } from "../../../src/protocol/turn.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { hex, refusal } from "./support.ts";

const vector = protocol.credential;
const id = parseActrId(vector.actor_id);
const claims = {
  realm: vector.realm_id,
  actorId: vector.actor_id,
  expiresAt: vector.expires_at,
};
const credential: Credential = {
  keyId: vector.key_id,
  claims: hex(vector.claims_hex),
  signature: hex(vector.signature_hex),
};

describe("credential", () => {
  it("[V-protocol.credential] is signed, encoded and put in the URL as given", async () => {
    const key = await importSigningKey(hex(vector.ed25519_seed_hex));
    assert.equal(toHex(key.publicKey), vector.ed25519_public_key_hex);
    assert.equal(toBase64(key.publicKey), vector.ed25519_public_key_b64);
    assert.equal(toHex(encodeClaims(claims)), vector.claims_hex);
    assert.equal(toBase64(encodeClaims(claims)), vector.claims_b64);
    assert.deepEqual(decodeClaims(hex(vector.claims_hex)), claims);
    const signed = await signCredential(key, vector.key_id, claims);
    assert.deepEqual(signed, credential);
    assert.equal(toBase64(signed.signature), vector.signature_b64);
    assert.equal(toHex(encodeCredential(signed)), vector.aid_credential_hex);
    assert.equal(toBase64(encodeCredential(signed)), vector.aid_credential_b64);
    assert.equal(toHex(encode(AIdCredentialSchema, signed)), vector.aid_credential_hex);
    assert.deepEqual(decodeCredential(hex(vector.aid_credential_hex)), credential);
    const base = "ws://localhost:8081/signaling/ws";
    const url = signalingUrl(base, { id, credential });
    assert.equal(url, `${base}?${vector.signaling_query}`);
    assert.equal(url, vector.signaling_url);
    const withRole = signalingUrl(base, { id, credential, webrtcRole: "answer" });
    assert.equal(withRole, vector.signaling_url_with_role);
  });

  it("fits the second key and header too (spec/transport.md §15)", async () => {
    const key = await importSigningKey(Uint8Array.from({ length: 32 }, (_, i) => i));
    assert.equal(
      toHex(key.publicKey),
      "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    );
    const signed = await signCredential(key, 7, { ...claims, expiresAt: 1_893_456_000 });
    assert.equal(
      toHex(signed.claims),
      "08651222316132623363403130312f61636d653a6563686f2d736572766963653a312e302e301880b1ef8607",
    );
    assert.equal(
      toHex(signed.signature),
      "e58ce37f2ce162252fb48f48db9f7df0ca45cff01a3d23b2351b2b28b4319964690c9475889423cafeb2f9a74cb4824be808041a54267dd6dc61441a21f14000",
    );
    assert.deepEqual(peerHeaders({ source: id, credential: signed }), {
      "x-actr-source-id":
        "0a02086510bcd6681a1b0a0461636d65120c6563686f2d736572766963651a05312e302e30",
      "x-actr-credential":
        "CAcSLAhlEiIxYTJiM2NAMTAxL2FjbWU6ZWNoby1zZXJ2aWNlOjEuMC4wGICx74YHGkDljON/LOFiJS+0j0jbn33wykXP8Bo9I7I1GysotDGZZGkMlHWIlCPK/rL5p0y0gkvoCAQaVCZ91txhRBoh8UAA",
    });
  });

  it("holds until the second of its expiry", async () => {
    const key = await importVerifyKey(hex(vector.ed25519_public_key_hex));
    const expected = { realm: 101, actorId: vector.actor_id };
    const now = vector.expires_at - 1;
    assert.deepEqual(await verifyCredential(credential, key, { now, ...expected }), claims);
    assert.deepEqual(await verifyCredential(credential, key, { now }), claims);
    await refused("expired", { now: now + 1 });
    await refused("realm", { now, realm: 102 });
    await refused("actor", { now, actorId: vector.actor_id.toUpperCase() });

    async function refused(
      reason: string,
      against: Parameters<typeof verifyCredential>[2],
      shown = credential,
    ): Promise<void> {
      await assert.rejects(verifyCredential(shown, key, against), (error: unknown) => {
        assert.ok(error instanceof ActrError);
        assert.equal(error.code, "permission_denied");
        assert.equal(error.details?.["reason"], reason);
        return true;
      });
    }

    const { signature } = credential;
    const tampered = Uint8Array.from(credential.claims, (byte, i) => (i === 5 ? byte ^ 1 : byte));
    await refused("signature", { now }, { ...credential, claims: tampered });
    await refused("signature", { now }, { ...credential, signature: signature.subarray(1) });
    await refused("signature", { now }, { ...credential, signature: new Uint8Array(64) });
  });

  it("is refused when its signed bytes are no claims", async () => {
    const key = await importSigningKey(new Uint8Array(32).fill(3));
    const noise = utf8("not claims");
    const shown = { keyId: 1, claims: noise, signature: await sign(key, noise) };
    const verifier = await importVerifyKey(key.publicKey);
    await assert.rejects(verifyCredential(shown, verifier, { now: 0 }), (error: unknown) => {
      return error instanceof ActrError && error.details?.["reason"] === "claims";
    });
  });

  it("needs all its parts", () => {
    for (const bytes of ["", "0801", "08011200", "12001a00"]) {
      refusal("decode_failure", () => decodeCredential(hex(bytes)));
    }
    assert.deepEqual(decodeCredential(hex("080012001a00")).claims, new Uint8Array());
    for (const bytes of ["", "0865", "08651200", "0865180a"]) {
      refusal("decode_failure", () => decodeClaims(hex(bytes)));
    }
    assert.equal(decode(AIdCredentialSchema, hex("080012001a00")).keyId, 0);
  });

  it("needs keys of 32 bytes", async () => {
    await assert.rejects(importSigningKey(new Uint8Array(31)), RangeError);
    await assert.rejects(importVerifyKey(new Uint8Array(31)), { code: "invalid_argument" });
  });
});

describe("signaling query", () => {
  const parameters = (): URLSearchParams => new URLSearchParams(vector.signaling_query);

  it("is read as it was written", () => {
    assert.deepEqual(parseSignalingQuery(parameters()), { id, credential });
    const { searchParams } = new URL(vector.signaling_url_with_role);
    assert.equal(parseSignalingQuery(searchParams).webrtcRole, "answer");
  });

  it("joins a query that is there already", () => {
    const url = signalingUrl("ws://h/?a=b", { id, credential });
    assert.equal(url, `ws://h/?a=b&${vector.signaling_query}`);
  });

  it("refuses missing and malformed parameters", () => {
    for (const name of ["actor_id", "key_id", "claims", "signature"]) {
      const without = parameters();
      without.delete(name);
      const error = refusal("permission_denied", () => parseSignalingQuery(without));
      assert.match(error.message, new RegExp(name));
      const wrong = parameters();
      wrong.set(name, "*");
      refusal("permission_denied", () => parseSignalingQuery(wrong));
    }
  });
});

describe("peer headers", () => {
  const written = peerHeaders({ source: id, credential });

  it("are read as they were written, hexadecimal in either case", () => {
    assert.deepEqual(parsePeerHeaders(new Headers(written)), { source: id, credential });
    const upper = String(written["x-actr-source-id"]).toUpperCase();
    const headers = new Headers(written);
    headers.set("X-Actr-Source-ID", upper);
    assert.deepEqual(parsePeerHeaders(headers).source, id);
  });

  it("are refused when missing or malformed", () => {
    for (const name of Object.keys(written)) {
      for (const value of [undefined, "", "zz", "0a", "AAAA"]) {
        const headers = new Map(Object.entries(written));
        headers.delete(name);
        if (value !== undefined) headers.set(name, value);
        const error = refusal("permission_denied", () => parsePeerHeaders(headers));
        assert.match(error.message, new RegExp(name));
      }
    }
  });
});

describe("secrets derived from others", () => {
  it("[V-protocol.turn] TURN logins", async () => {
    for (const {
      turn_secret,
      actor_id,
      expires_at,
      username,
      password,
      ...turn
    } of protocol.turn) {
      const login = await turnCredential(turn_secret, actor_id, expires_at);
      assert.deepEqual(login, { username, password, expiresAt: expires_at });
      const longTerm = `${login.username}:${turn.turn_realm}:${login.password}`;
      const key = createHash("md5").update(longTerm).digest("hex");
      assert.equal(key, turn.long_term_key_md5_hex);
    }
  });

  it("[V-protocol.realm_secret] realm secrets are compared by SHA-256", async () => {
    for (const { secret, sha256_hex } of protocol.realm_secret) {
      assert.equal(toHex(await sha256(utf8(secret))), sha256_hex);
    }
  });

  it("[V-protocol.renewal] renewal tokens are stored hashed and succeed each other", async () => {
    const { token_hash, successor, successor_real, expiry, mock_token } = protocol.renewal;
    for (const { serial, token_hex } of mock_token) {
      const seed = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, serial);
      const text = utf8("actr-mock-actrix-renewal-token-v1");
      assert.equal(toHex(await sha256(concatBytes([text, seed]))), token_hex);
    }
    for (const { token_utf8, sha256_hex } of token_hash) {
      assert.equal(toHex(await sha256(utf8(token_utf8))), sha256_hex);
    }
    const ttlSeconds = 86_400;
    for (const step of successor) {
      const next = await renewalSuccessor(utf8(step.secret_utf8), {
        oldToken: utf8(step.old_token_utf8),
        actorId: step.actor_id,
        oldExpiresAt: step.old_expires_at,
        ttlSeconds,
      });
      assert.equal(toHex(next.token), step.successor_hex);
      const known = expiry.find((entry) => entry.old_expires_at === step.old_expires_at);
      if (known !== undefined) assert.equal(next.expiresAt, known.successor_expires_at);
    }
    for (const step of successor_real) {
      const next = await renewalSuccessor(hex(step.secret_hex), {
        oldToken: hex(step.old_token_hex),
        actorId: step.actor_id,
        oldExpiresAt: step.old_expires_at,
        ttlSeconds: step.ttl_secs,
      });
      assert.equal(toHex(next.token), step.successor_hex);
      assert.equal(next.expiresAt, step.successor_expires_at);
    }
  });

  it("[V-protocol.mfr_key] manufacturer keys are named by their hash", async () => {
    const key = await importSigningKey(hex(protocol.mfr_key.ed25519_seed_hex));
    assert.equal(toHex(key.publicKey), protocol.mfr_key.public_key_hex);
    assert.equal(toBase64(key.publicKey), protocol.mfr_key.public_key_b64);
    assert.equal(await manufacturerKeyId(key.publicKey), protocol.mfr_key.mfr_key_id);
  });

  it("[V-protocol.manufacturer_register] manufacturers sign a text of eight lines", async () => {
    const proof = protocol.manufacturer_register;
    const text = manufacturerProofText({
      realm: proof.realm_id,
      actrType: proof.actr_type,
      target: proof.target,
      manifestSha256Hex: proof.manifest_sha256_hex,
      signedAt: proof.signed_at,
      nonce: hex(proof.nonce_hex),
    });
    assert.equal(text, proof.payload);
    const key = await importSigningKey(hex(protocol.mfr_key.ed25519_seed_hex));
    const signature = await sign(key, utf8(text));
    assert.equal(toHex(signature), proof.signature_with_seed_2b_hex);
    const verifier = await importVerifyKey(key.publicKey);
    assert.ok(await verifySignature(verifier, signature, utf8(text)));
  });
});

describe("bytes", () => {
  it("are equal when all of them are", () => {
    const bytes = hex("00ff10");
    assert.ok(equalBytes(bytes, hex("00ff10")));
    assert.ok(equalBytes(new Uint8Array(), new Uint8Array()));
    for (const other of ["", "00ff", "00ff1000", "01ff10", "00ff11", "007f10"]) {
      assert.ok(!equalBytes(bytes, hex(other)), other);
    }
  });

  it("are read back from hexadecimal and base64, and nothing else is", () => {
    for (let length = 0; length < 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 37 + length);
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    }
    for (const text of ["a", "0g", "0x", " 00"]) assert.equal(fromHex(text), undefined);
    for (const text of ["a", "AAA", "A===", "AA=A", "AA-_", "AAAA\n", "A A="]) {
      assert.equal(fromBase64(text), undefined, text);
    }
  });
});
