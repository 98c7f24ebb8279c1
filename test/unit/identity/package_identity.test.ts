import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { AisClient, type Registration } from "../../../src/identity/ais_client.ts";
import { CredentialKeeper } from "../../../src/identity/credential_keeper.ts";
import { provenBy } from "../../../src/identity/package_registration.ts";
import { encodeIdentity } from "../../../src/identity/saved_identity.ts";
import { SessionState } from "../../../src/identity/session_state.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  type RegisterRequest,
  RegisterRequestSchema,
  RegisterResponse_RegisterOkSchema,
  RegisterResponseSchema,
} from "../../../src/protocol/schema.ts";
import { importSigningKey } from "../../../src/protocol/signing_key.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { issued, never, RecordingLogger } from "./support.ts";

const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
const linked: Registration = { type, realm: 1001 };
const its = {
  manifest: utf8('manufacturer = "acme"'),
  signature: new Uint8Array(64).fill(7),
  target: "wasm32-wasip2",
};

/** A client, and the registrations that it sent to `answer`; nobody reissues. */
function setUp(answer: () => Uint8Array<ArrayBuffer>) {
  const clock = new FakeClock();
  const sent: RegisterRequest[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (!url.endsWith("/register")) return new Response(null, { status: 404 });
    sent.push(decode(RegisterRequestSchema, init.body as Uint8Array));
    return new Response(answer());
  };
  return { clock, sent, ais: new AisClient({ fetch, clock }, { url: "http://ais.example/ais" }) };
}

const refusal = (code: number, message: string): Uint8Array<ArrayBuffer> =>
  encode(RegisterResponseSchema, { result: { case: "error", value: { code, message } } });

describe("who registers", () => {
  it("[N-16] is linked, or what its package's manifest says; an error of the service comes through", async () => {
    const { ais, sent } = setUp(() => refusal(403, "manufacturer not verified"));
    for (const registration of [linked, { ...linked, package: its }]) {
      await assert.rejects(ais.register(registration, { signal: never }), {
        code: "registration",
        message: /code 403.*manufacturer not verified/,
        details: { failure: "RealmUnavailable", code: 403 },
      });
    }
    const [plain, packaged] = sent;
    assert.equal(plain?.authMode, RegisterAuthMode.LINKED);
    assert.deepEqual(
      [plain.manifestRaw.length, plain.mfrSignature.length, plain.target],
      [0, 0, ""],
    );
    assert.equal(packaged?.authMode, RegisterAuthMode.PACKAGE);
    assert.deepEqual(packaged.manifestRaw, its.manifest);
    assert.deepEqual(packaged.mfrSignature, its.signature);
  });

  it("[N-144] as a package gets another identity by another signature, time and nonce for the same manifest", async () => {
    let serial = 1n;
    const { ais, sent, clock } = setUp(() => {
      const bytes = encodeIdentity(issued(++serial, clock.now()));
      const value = decode(RegisterResponse_RegisterOkSchema, bytes);
      return encode(RegisterResponseSchema, { result: { case: "success", value } });
    });
    const random = new SeededRandom(1);
    const key = await importSigningKey(new Uint8Array(32).fill(3));
    const proof = provenBy(key, { clock, random });
    const registration = { ...linked, package: { ...its, proof } };
    const log = new RecordingLogger();
    const first = await ais.register(registration, { signal: never });
    const session = new SessionState({ log }, { ...first, renewalTokenExpiresAtMs: 0 });
    const keeper = new CredentialKeeper({
      ...{ clock, random, log, session, ais },
      reissue: (id, token, options) => ais.reissue(id, token, registration, options),
      register: (options) => ais.register(registration, options),
    });
    await clock.advance(5_000);
    keeper.warned();
    await settledUntil(clock, "the keeper has reissued", () => !keeper.renewing);
    assert.equal(session.current.generation, 2);
    const [before, after] = sent;
    assert.deepEqual(after?.manifestRaw, before?.manifestRaw);
    assert.deepEqual(after?.mfrSignature, before?.mfrSignature);
    assert.notDeepEqual(after?.manufacturerAuthSignature, before?.manufacturerAuthSignature);
    assert.notEqual(after?.manufacturerAuthSignedAt, before?.manufacturerAuthSignedAt);
    assert.notDeepEqual(after?.manufacturerAuthNonce, before?.manufacturerAuthNonce);
    await keeper.close();
  });
});
