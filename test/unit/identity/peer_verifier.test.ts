import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { KeyCache } from "../../../src/identity/key_cache.ts";
import {
  type PeerFault,
  PeerVerifier,
  type PeerVerifierOptions,
} from "../../../src/identity/peer_verifier.ts";
import { signCredential } from "../../../src/protocol/credential.ts";
import type { Credential, IdentityClaims } from "../../../src/protocol/credential_codec.ts";
import { type ActrId, formatActrId } from "../../../src/protocol/ids.ts";
import {
  credentialHeader,
  parsePeerHeaders,
  peerHeaders,
  sourceIdHeader,
} from "../../../src/protocol/peer_headers.ts";
import { importSigningKey, type SigningKey } from "../../../src/protocol/signing_key.ts";
import { never } from "./support.ts";

const id: ActrId = {
  realm: 1001,
  serial: 77n,
  type: { manufacturer: "acme", name: "Echo", version: "1.0.0" },
};
const nowMs = 1_700_000_000_000;
const expiresAt = nowMs / 1_000 + 60;

let key: SigningKey;

/** A verifier that knows key 1, and finds out that there is no other. */
async function setUp(
  options: PeerVerifierOptions = {},
  fetchError = new ActrError("not_found", "no"),
) {
  const clock = new FakeClock(nowMs);
  const keys = new KeyCache({ clock, fetchKey: () => Promise.reject(fetchError) });
  await keys.seed({ id: 1, publicKey: key.publicKey });
  return new PeerVerifier({ clock, keys }, options);
}

const claims = (changes: Partial<IdentityClaims> = {}): IdentityClaims => ({
  realm: id.realm,
  actorId: formatActrId(id),
  expiresAt,
  ...changes,
});

const headersOf = (credential: Credential, source = id): Headers =>
  new Headers(peerHeaders({ source, credential }));

/** What a listener does with an upgrade: reads its headers, then verifies. */
const verify = async (verifier: PeerVerifier, headers: Headers): Promise<ActrId> =>
  await verifier.verify(parsePeerHeaders(headers), { signal: never });

const refusedFor = (reason: PeerFault | "headers") => (error: unknown) => {
  assert.ok(ActrError.is(error), String(error));
  assert.deepEqual([error.code, error.details], ["permission_denied", { reason }]);
  return true;
};

describe("PeerVerifier", () => {
  before(async () => {
    key = await importSigningKey(new Uint8Array(32).fill(42));
  });

  it("[T-66] accepts a valid credential", async () => {
    const verifier = await setUp();
    const headers = headersOf(await signCredential(key, 1, claims()));
    assert.deepEqual(await verify(verifier, headers), id);
  });

  it("[T-66] rejects tampered, short, expired, mismatching, unreadable and unknown ones", async () => {
    const verifier = await setUp();
    const good = await signCredential(key, 1, claims());
    const tampered = Uint8Array.from(good.claims, (byte, at) => (at === 1 ? byte ^ 1 : byte));
    const junkClaims = Uint8Array.of(0xff, 0xff);
    const junk = { ...good, claims: junkClaims, signature: await signBytes(junkClaims) };
    const badSource = headersOf(good);
    badSource.set(sourceIdHeader, "zz");
    const badCredential = headersOf(good);
    badCredential.set(credentialHeader, "AAAA");
    const cases: [PeerFault | "headers", Headers][] = [
      ["signature", headersOf({ ...good, claims: tampered })],
      ["signature", headersOf({ ...good, signature: good.signature.subarray(1) })],
      ["expired", headersOf(await signCredential(key, 1, claims({ expiresAt: nowMs / 1_000 })))],
      ["actor", headersOf(good, { ...id, serial: 78n })],
      ["realm", headersOf(await signCredential(key, 1, claims({ realm: 1002 })))],
      ["claims", headersOf(junk)],
      ["headers", badSource],
      ["headers", badCredential],
      ["headers", new Headers()],
      ["key_unknown", headersOf({ ...good, keyId: 2 })],
    ];
    for (const [reason, headers] of cases) {
      await assert.rejects(verify(verifier, headers), refusedFor(reason), reason);
    }
  });

  it("says when the key could not be had", async () => {
    const verifier = await setUp({}, new ActrError("unavailable", "signaling is not connected"));
    const credential = await signCredential(key, 9, claims());
    await assert.rejects(verify(verifier, headersOf(credential)), refusedFor("key_unavailable"));
  });

  it("lets other realms in unless told not to", async () => {
    const stranger = { ...id, realm: 2002 };
    const credential = await signCredential(
      key,
      1,
      claims({ realm: 2002, actorId: formatActrId(stranger) }),
    );
    const open = await setUp();
    assert.deepEqual(await verify(open, headersOf(credential, stranger)), stranger);
    const closed = await setUp({ onlyRealm: () => 1001 });
    await assert.rejects(
      verify(closed, headersOf(credential, stranger)),
      refusedFor("foreign_realm"),
    );
  });
});

async function signBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, bytes));
}
