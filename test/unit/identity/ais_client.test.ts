import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { AisClient, encodeRegistration } from "../../../src/identity/ais_client.ts";
import { CredentialKeeper } from "../../../src/identity/credential_keeper.ts";
import { decodeIdentity, encodeIdentity } from "../../../src/identity/saved_identity.ts";
import { SessionState } from "../../../src/identity/session_state.ts";
import { encodeClaims } from "../../../src/protocol/credential_codec.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { decodeReissue } from "../../../src/protocol/reissue.ts";
import {
  decode,
  encode,
  type MessageInit,
  RegisterAuthMode,
  RegisterRequestSchema,
  type RegisterResponse_RegisterOkSchema,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
} from "../../../src/protocol/schema.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { issued, never, RecordingLogger } from "./support.ts";

const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
const secret = "rs_very-secret";
const token = new Uint8Array(32).fill(7);
const registration = { type, realm: 1001, realmSecret: secret };

type Ok = MessageInit<typeof RegisterResponse_RegisterOkSchema>;

/** A complete answer for a serial, with some fields replaced. */
function ok(serial: bigint, changes: Readonly<Record<string, unknown>> = {}): Ok {
  const id = { realm: 1001, serial, type };
  return {
    actrId: { realm: { realmId: 1001 }, serialNumber: serial, type },
    credential: {
      keyId: 3,
      claims: encodeClaims({ realm: 1001, actorId: formatActrId(id), expiresAt: 2_000 }),
      signature: new Uint8Array(64),
    },
    turnCredential: { username: "u", password: "p", expiresAt: 2_000n },
    credentialExpiresAt: { seconds: 2_000n, nanos: 500_000_000 },
    signalingHeartbeatIntervalSecs: 20,
    signingPubkey: new Uint8Array(32).fill(1),
    signingKeyId: 3,
    renewalToken: token,
    renewalTokenExpiresAt: { seconds: 9_000n },
    ...changes,
  } as Ok;
}

const tooLong = { username: "u".repeat(65_536), password: "p", expiresAt: 1n };

/** Register and renew answers have the same shape. */
const success = (value: Ok): Response =>
  new Response(encode(RegisterResponseSchema, { result: { case: "success", value } }));
const failure = (code: number, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(
    encode(RegisterResponseSchema, { result: { case: "error", value: { code, message: "no" } } }),
    { status, headers },
  );

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly signal: AbortSignal | null;
}

/** A client whose requests are kept and answered by `answer`. */
function setUp(answer: () => Response | Promise<Response>, url = "http://ais.example/ais//") {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const fetch = (to: string, init: RequestInit): Promise<Response> => {
    sent.push({
      url: to,
      headers: new Headers(init.headers),
      body: init.body as Uint8Array,
      signal: init.signal ?? null,
    });
    return Promise.resolve().then(answer);
  };
  return { clock, sent, ais: new AisClient({ fetch, clock }, { url }) };
}

/** Asserts an error of a class, and that no secret is in it. */
function refusedWith(facts: Record<string, unknown>, retryAfterMs?: number) {
  return (error: unknown): boolean => {
    assert.ok(ActrError.is(error), String(error));
    assert.equal(error.code, "registration");
    assert.deepEqual(error.details, facts);
    assert.equal(error.retryAfterMs, retryAfterMs);
    assert.ok(!`${error.message} ${JSON.stringify(error)}`.includes(secret));
    return true;
  };
}

describe("AisClient.register", () => {
  it("posts a linked registration, the secret in its header only, slashes trimmed", async () => {
    const { ais, sent } = setUp(() => success(ok(5n)));
    const identity = await ais.register(
      { ...registration, wsAddress: "ws://here:1/ws", acl: { rules: [] } },
      { signal: never },
    );
    assert.equal(sent[0]?.url, "http://ais.example/ais/register");
    assert.equal(sent[0]?.headers.get("content-type"), "application/x-protobuf");
    assert.equal(sent[0]?.headers.get("accept"), "application/x-protobuf");
    assert.equal(sent[0]?.headers.get("x-actrix-realm-secret"), secret);
    const request = decode(RegisterRequestSchema, sent[0]?.body ?? assert.fail());
    assert.equal(request.authMode, RegisterAuthMode.LINKED);
    assert.equal(request.wsAddress, "ws://here:1/ws");
    assert.deepEqual(request.acl?.rules, []);
    assert.equal(identity.idText, "5@1001/acme:Echo:1.0.0");
    assert.equal(identity.credentialExpiresAtMs, 2_000_500);
    assert.equal(identity.heartbeatIntervalMs, 20_000);
    assert.deepEqual(identity.renewalToken, token);
    assert.equal(identity.renewalTokenExpiresAtMs, 9_000_000);
    assert.deepEqual(identity.turnCredential, { username: "u", password: "p", expiresAtMs: 2e6 });
    assert.deepEqual(identity.signingKey, { id: 3, publicKey: new Uint8Array(32).fill(1) });
  });

  it("sends nothing that is not configured", async () => {
    const { ais, sent } = setUp(() => success(ok(5n)));
    await ais.register({ type, realm: 1001 }, { signal: never });
    assert.equal(sent[0]?.headers.has("x-actrix-realm-secret"), false);
    const minimal = { actrType: type, realm: { realmId: 1001 }, authMode: RegisterAuthMode.LINKED };
    assert.deepEqual(sent[0]?.body, encode(RegisterRequestSchema, minimal));
  });

  it("does without TURN credential, expiries, interval and renewal token", async () => {
    const bare = {
      turnCredential: { username: "", password: "", expiresAt: 0n },
      credentialExpiresAt: undefined,
      renewalTokenExpiresAt: undefined,
      signalingHeartbeatIntervalSecs: 0,
      renewalToken: new Uint8Array(),
    };
    const { ais } = setUp(() => success(ok(5n, bare)));
    const identity = await ais.register(registration, { signal: never });
    assert.equal(identity.turnCredential, undefined);
    assert.equal(identity.renewalToken, undefined);
    assert.equal(identity.credentialExpiresAtMs, 2_000_000, "from the claims");
    assert.equal(identity.heartbeatIntervalMs, 30_000);
  });

  it("[N-143] clamps an expiry before 1970 to 0", async () => {
    const { ais } = setUp(() => success(ok(5n, { credentialExpiresAt: { seconds: -5n } })));
    const identity = await ais.register(registration, { signal: never });
    assert.equal(identity.credentialExpiresAtMs, 0);
  });

  it("tells why it failed, without the secret", async () => {
    const cases: [() => Response, Record<string, unknown>, number?][] = [
      [() => failure(403), { failure: "RealmUnavailable", code: 403 }],
      [() => failure(503), { failure: "Retryable", code: 503 }],
      [
        () => failure(0, 429, { "retry-after": "7" }),
        { failure: "RateLimited", status: 429 },
        7_000,
      ],
      [() => failure(0, 413), { failure: "Protocol", status: 413 }],
      [() => new Response("junk that is no message"), { failure: "Protocol" }],
      [() => new Response(), { failure: "Protocol" }],
      [() => success(ok(5n, { turnCredential: tooLong })), { failure: "Protocol" }],
      [() => success(ok(5n, { signingPubkey: new Uint8Array(5) })), { failure: "Protocol" }],
      [
        () => {
          throw new TypeError("fetch failed");
        },
        { failure: "Retryable" },
      ],
    ];
    for (const [answer, facts, retryAfterMs] of cases) {
      const { ais, clock } = setUp(answer);
      await assert.rejects(
        ais.register(registration, { signal: never }),
        refusedWith(facts, retryAfterMs),
      );
      assert.equal(clock.pending, 0);
    }
  });

  it("gives up after 30 s, and when told to", async () => {
    const { ais, clock, sent } = setUp(() => new Promise(() => {}));
    const late = assert.rejects(
      ais.register(registration, { signal: never }),
      refusedWith({ failure: "Retryable" }),
    );
    await clock.advance(30_000);
    await late;
    assert.equal(sent[0]?.signal?.aborted, true);
    const abort = new AbortController();
    const aborted = assert.rejects(ais.register(registration, { signal: abort.signal }), /enough/);
    abort.abort(new Error("enough"));
    await aborted;
    assert.equal(clock.pending, 0);
  });

  it("refuses a base URL that is none, or that holds credentials or a query", () => {
    for (const url of ["ais", "ftp://x", "http://u:p@x/ais", "http://x/ais?a=1"]) {
      assert.throws(
        () => setUp(() => new Response(), url),
        (error: unknown) => ActrError.is(error) && error.code === "config",
      );
    }
  });
});

describe("AisClient.renew", () => {
  const id = { realm: 1001, serial: 5n, type };

  it("posts id and token, no secret", async () => {
    const { ais, sent } = setUp(() => success(ok(5n)));
    const identity = await ais.renew(id, token, { signal: never });
    assert.equal(sent[0]?.url, "http://ais.example/ais/renew");
    assert.equal(sent[0]?.headers.has("x-actrix-realm-secret"), false);
    const request = decode(RenewCredentialRequestSchema, sent[0]?.body ?? assert.fail());
    assert.deepEqual(request.renewalToken, token);
    assert.equal(request.actrId?.serialNumber, 5n);
    assert.equal(identity.credentialExpiresAtMs, 2_000_500);
  });

  it("refuses an answer for another actor, or without token or expiries", async () => {
    const answers = [
      ok(6n),
      ok(5n, { credential: ok(6n).credential }),
      ok(5n, { credentialExpiresAt: undefined }),
      ok(5n, { renewalTokenExpiresAt: undefined }),
      ok(5n, { renewalToken: new Uint8Array() }),
    ];
    for (const answer of answers) {
      const { ais } = setUp(() => success(answer));
      await assert.rejects(
        ais.renew(id, token, { signal: never }),
        refusedWith({ failure: "Protocol" }),
      );
    }
  });

  it("classifies a refusal by status, or by code in a good answer", async () => {
    const { ais: byStatus } = setUp(() => failure(0, 401));
    await assert.rejects(
      byStatus.renew(id, token, { signal: never }),
      refusedWith({ failure: "TokenRejected", status: 401 }),
    );
    const { ais: byCode } = setUp(() => failure(401, 200, { "retry-after": "9" }));
    await assert.rejects(
      byCode.renew(id, token, { signal: never }),
      refusedWith({ failure: "TokenRejected", code: 401 }),
    );
  });
});

describe("AisClient.reissue", () => {
  const id = { realm: 1001, serial: 5n, type };

  it("posts id, registration and token, with the secret in its header alone", async () => {
    const { ais, sent } = setUp(() => success(ok(5n)));
    const identity = await ais.reissue(id, token, registration, { signal: never });
    assert.equal(sent[0]?.url, "http://ais.example/ais/reissue");
    assert.equal(sent[0]?.headers.get("x-actrix-realm-secret"), secret);
    const request = decodeReissue(sent[0]?.body ?? assert.fail());
    assert.deepEqual(request, {
      id,
      registration: await encodeRegistration(registration, never),
      renewalToken: token,
    });
    assert.equal(identity.idText, formatActrId(id));
  });

  it("refuses an answer for another actor, and tells what it is of", async () => {
    const { ais } = setUp(() => success(ok(6n)));
    await assert.rejects(ais.reissue(id, token, registration, { signal: never }), {
      message: /^reissue: it is for 6@/,
      details: { failure: "Protocol" },
    });
  });

  it("needs no answer of a service that does not know it", async () => {
    const { ais } = setUp(() => new Response("no such page", { status: 404 }));
    await assert.rejects(
      ais.reissue(id, token, registration, { signal: never }),
      refusedWith({ failure: "Protocol", status: 404 }),
    );
  });
});

describe("identity with its keeper", () => {
  it("[N-141] [ND-44] registering again is the same request with the realm secret", async () => {
    const { ais, sent, clock } = setUp(() => success(ok(9n)));
    const log = new RecordingLogger();
    const session = new SessionState({ log }, issued(1n, clock.now(), { tokenLifeMs: -1 }));
    await ais.register(registration, { signal: never });
    const keeper = new CredentialKeeper({
      clock,
      random: new SeededRandom(1),
      log,
      session,
      ais,
      reissue: (id, renewal, options) => ais.reissue(id, renewal, registration, options),
      register: (options) => ais.register(registration, options),
    });
    keeper.warned();
    await settledUntil(clock, "the keeper has registered", () => !keeper.renewing);
    assert.deepEqual([session.current.id.serial, session.current.generation], [9n, 2]);
    assert.deepEqual(
      sent.map(({ url }) => url.slice("http://ais.example/ais/".length)),
      ["register", "reissue", "register"],
    );
    assert.equal(sent[2]?.headers.get("x-actrix-realm-secret"), secret);
    assert.deepEqual(sent[2]?.body, sent[0]?.body);
    assert.ok(
      !JSON.stringify(log.records, (_, v) => (typeof v === "bigint" ? `${v}` : v)).includes(secret),
    );
    await keeper.close();
  });
});

describe("a saved identity", () => {
  it("comes back as it was", () => {
    const full = {
      ...issued(1n, 1_234),
      turnCredential: {
        ...{ username: "u", password: "p", expiresAtMs: 5_000 },
        iceUrls: ["stun:a", "turn:b"],
      },
    };
    assert.deepEqual(decodeIdentity(encodeIdentity(full)), full);
    const { renewalToken: _, renewalTokenExpiresAtMs: __, ...bare } = issued(1n, 1_234);
    assert.deepEqual(decodeIdentity(encodeIdentity(bare)), bare);
  });

  it("is none when the bytes are damaged", () => {
    assert.equal(decodeIdentity(Uint8Array.of(1, 2, 3)), undefined);
    assert.equal(decodeIdentity(new Uint8Array()), undefined);
  });
});
