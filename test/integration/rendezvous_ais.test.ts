/** The identity service over real HTTP: what a client sees of it besides identities. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { toBase64, toHex, utf8 } from "../../src/protocol/bytes.ts";
import { sha256 } from "../../src/protocol/crypto.ts";
import { formatActrType, parseActrType } from "../../src/protocol/ids.ts";
import { manufacturerKeyId, manufacturerProofText } from "../../src/protocol/manufacturer.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  RegisterRequestSchema,
  RegisterResponseSchema,
  RenewCredentialResponseSchema,
} from "../../src/protocol/schema.ts";
import { importSigningKey, sign } from "../../src/protocol/signing_key.ts";
import { Client, type Entry, only, register, renew, tryRegister } from "./rendezvous_client.ts";
import { Running } from "./rendezvous_server.ts";

const type = "acme:echo:1.0.0";
const target = "wasm32-wasip2";
const post = { method: "POST", headers: { "content-type": "application/x-protobuf" } };
const key = await importSigningKey(new Uint8Array(32).fill(0x2b));
const keyId = await manufacturerKeyId(key.publicKey);
const publicKey = toBase64(key.publicKey);

/** What a package adds to its registration, proven now. */
async function proven(realm: number): Promise<Entry> {
  const signedAt = Math.floor(Date.now() / 1000);
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const manifestRaw = utf8(
    [
      'manufacturer = "acme"\nname = "echo"\nversion = "1.0.0"',
      `signing_key_id = "${keyId}"\nbinary = { target = "${target}" }\n`,
    ].join("\n"),
  );
  const manifestSha256Hex = toHex(await sha256(manifestRaw));
  const actrType = formatActrType(parseActrType(type));
  const text = manufacturerProofText({
    realm,
    actrType,
    target,
    manifestSha256Hex,
    signedAt,
    nonce,
  });
  return {
    realmId: realm,
    authMode: RegisterAuthMode.PACKAGE,
    target,
    manifestRaw,
    mfrSignature: await sign(key, manifestRaw),
    manufacturerAuthSignature: await sign(key, utf8(text)),
    manufacturerAuthSignedAt: BigInt(signedAt),
    manufacturerAuthNonce: nonce,
  };
}

describe("the identity service over HTTP", () => {
  let server: Running;

  before(async () => {
    const manufacturers = [{ name: "acme", keys: [publicKey] }];
    server = await Running.start(new MemoryStore(), { manufacturers });
  });

  after(() => server[Symbol.asyncDispose]());

  it("registers a package once with each proof", async () => {
    const entry = await proven(7);
    const ok = await register(server.base, type, entry);
    assert.equal(ok.actrId?.realm?.realmId, 7);
    const again = await tryRegister(server.base, type, entry);
    assert.equal(again.case, "error");
    assert.equal(again.value.code, 403);
    await register(server.base, type, await proven(7));
    assert.doesNotMatch(server.log.lines.join("\n"), /manifest|mfr-|signature/i);
  });

  it("tells the keys of manufacturers", async () => {
    const ask = (path: string) => fetch(`${server.base}/mfr/${path}`);
    const expected = { public_key: publicKey, key_id: keyId };
    assert.deepEqual(await (await ask("acme/verifying_key")).json(), expected);
    assert.deepEqual(await (await ask(`acme/verifying_key?key_id=${keyId}`)).json(), expected);
    for (const unknown of ["acme/verifying_key?key_id=mfr-0", "umbrella/verifying_key"]) {
      const response = await ask(unknown);
      assert.equal(response.status, 404);
      assert.deepEqual(Object.keys(await response.json()), ["error"]);
    }
  });

  it("answers what it cannot decode inside 200 at /register, with the status at /renew and /reissue", async () => {
    const junk = async (name: string) => {
      const response = await fetch(`${server.base}/ais/${name}`, { ...post, body: "\xff\xff" });
      assert.equal(response.headers.get("content-type"), "application/x-protobuf");
      return [response.status, new Uint8Array(await response.arrayBuffer())] as const;
    };
    const [status, bytes] = await junk("register");
    const { result } = decode(RegisterResponseSchema, bytes);
    assert.equal(result.case, "error");
    assert.deepEqual([status, result.value.code], [200, 400]);
    for (const name of ["renew", "reissue"]) {
      const [status, bytes] = await junk(name);
      const { result } = decode(RenewCredentialResponseSchema, bytes);
      assert.equal(result.case, "error");
      assert.deepEqual([status, result.value.code], [400, 400], name);
    }
  });

  it("keeps nobody's keys for who asks to change them", async () => {
    const rotate = await fetch(`${server.base}/ais/rotate-key`, post);
    await rotate.body?.cancel();
    assert.equal(rotate.status, 404);
    assert.equal(server.rendezvous.health().keyId, 1);
  });

  it("writes down who is refused, and why, in numbers", async () => {
    const realm = { realmId: 1, authMode: 0 } as const;
    await tryRegister(server.base, type, realm);
    const line =
      'rendezvous.ais.refused {"exchange":"register","status":400,"address":"127.0.0.1"}';
    assert.ok(server.log.lines.includes(line), server.log.lines.join("\n"));
  });

  it("says how long its key will sign", async () => {
    const response = await fetch(`${server.base}/ais/health`);
    const { key_cache: cache } = (await response.json()) as {
      key_cache: { status: string; key_id: number; expires_in: number };
    };
    const month = 30 * 24 * 3600;
    assert.deepEqual([cache.status, cache.key_id], ["ok", 1]);
    assert.ok(cache.expires_in > month - 600 && cache.expires_in <= month);
  });
});

describe("the identity service under too many requests", () => {
  const limits = { addressBurst: 2, addressRequestsPerSecond: 0.01, realmBurst: 1 };
  const addressHeader = "x-forwarded-for";

  it("answers 429 to each of an address, with the time to wait, which pages may read", async () => {
    await using server = await Running.start(new MemoryStore(), { limits, addressHeader });
    const ask = async (path: string, address: string, init: RequestInit = {}) => {
      const headers = { [addressHeader]: address, origin: "http://page.example" };
      const response = await fetch(server.base + path, { ...init, headers });
      return [response, await response.text()] as const;
    };
    for (const path of ["/ais/health", "/register"]) {
      const init = path === "/register" ? { method: "POST" } : {};
      assert.equal((await ask(path, "1.2.3.4", init))[0].status, 200);
    }
    const exchanges = ["/ais/register", "/renew", "/ais/reissue"].map((path) => [path, "POST"]);
    for (const [path = "", method = ""] of [...exchanges, ["/ais/signing-pubkey", "GET"]]) {
      const [response, text] = await ask(path, "6.6.6.6, 1.2.3.4", { method });
      assert.equal(response.status, 429, path);
      const wait = Number(response.headers.get("retry-after"));
      assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 100, `${wait}`);
      assert.equal(response.headers.get("x-ratelimit-after"), String(wait));
      assert.equal(text, `Too Many Requests! Wait for ${wait}s`);
    }
    const [limited] = await ask("/ais/health", "1.2.3.4");
    assert.match(limited.headers.get("access-control-expose-headers") ?? "", /retry-after/);
    assert.equal(limited.headers.get("access-control-allow-origin"), "*");
    assert.equal((await ask("/ais/health", "1.2.3.5"))[0].status, 200);
  });

  it("answers 429 to a realm, with an error inside and the time to wait", async () => {
    const slow = { realmBurst: 1, realmIdentitiesPerSecond: 0.01 };
    await using server = await Running.start(new MemoryStore(), { limits: slow });
    await register(server.base, type, { realmId: 1 });
    await register(server.base, type, { realmId: 2 });
    const body = encode(RegisterRequestSchema, {
      actrType: parseActrType(type),
      realm: { realmId: 1 },
      authMode: RegisterAuthMode.LINKED,
    });
    const response = await fetch(`${server.base}/ais/register`, { ...post, body });
    assert.equal(response.status, 429);
    assert.match(response.headers.get("retry-after") ?? "", /^([1-9]\d?|100)$/);
    const { result } = decode(RegisterResponseSchema, new Uint8Array(await response.arrayBuffer()));
    assert.equal(result.case, "error");
    assert.equal(result.value.code, 429);
  });
});

describe("the identity service while operators work", () => {
  const adminToken = "an-operator-s-token";
  const ping = {
    case: "ping",
    value: { availability: 0, powerReserve: 1, mailboxBacklog: 0 },
  } as const;

  async function operate(base: string, path: string, body: object = {}): Promise<unknown> {
    const headers = { authorization: `Bearer ${adminToken}` };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${base}/admin${path}`, init);
    assert.ok(response.ok, `${response.status} ${path}`);
    return await response.json();
  }

  it("changes keys: who is connected is told to renew, and stays", async () => {
    await using server = await Running.start(new MemoryStore(), { adminToken });
    await using client = await Client.join(server.base, type);
    const pong = async () => only(await client.request(ping), "pong").value;
    assert.equal((await pong()).credentialWarning, undefined);
    await operate(server.base, "/keys/rotate", { inMs: 0 });
    assert.match((await pong()).credentialWarning?.message ?? "", /replaced/);
    const old = client.registered;
    await using late = await Client.connect(server.base, await register(server.base, type));
    only(await late.request(ping), "pong");
    for (const [keyId, pubkey] of [
      [1, old.signingPubkey],
      [2, late.registered.signingPubkey],
    ] as const) {
      const answer = await client.request({ case: "getSigningKeyRequest", value: { keyId } });
      assert.deepEqual(only(answer, "getSigningKeyResponse").value.pubkey, pubkey);
    }

    await operate(server.base, "/keys/1/revoke");
    assert.equal(only(await client.request(ping), "error").value.code, 401);
    await assert.rejects(Client.connect(server.base, old), { code: "permission_denied" });
    const { status, result } = await renew(server.base, client.id, old.renewalToken);
    assert.equal(status, 200);
    assert.equal(result.case, "success");
    client.registered = result.value;
    assert.equal(client.registered.credential?.keyId, 2);
    assert.equal((await pong()).credentialWarning, undefined);
  });

  it("creates a realm, changes its secret and disables it: its nodes are refused all, until it is back", async () => {
    await using server = await Running.start(new MemoryStore(), { adminToken });
    const created = (await operate(server.base, "/realms", { id: 9 })) as { secret: string };
    const rotated = (await operate(server.base, "/realms/9/rotate")) as { secret: string };
    const outcome = async (secret: string) => {
      const result = await tryRegister(server.base, type, { realmId: 9, secret });
      return result.case === "error" ? result.value.message : "ok";
    };
    assert.deepEqual(await Promise.all([created, rotated].map((each) => outcome(each.secret))), [
      ...["ok", "ok"],
    ]);
    assert.equal(await outcome("guess"), "Invalid realm secret");
    const entry = { realmId: 9, secret: rotated.secret };
    await using client = await Client.join(server.base, type, entry);
    const renewed = () => renew(server.base, client.id, client.registered.renewalToken);

    await operate(server.base, "/realms/9/disable");
    const disabled = "Realm validation failed: Realm 9 is disabled";
    const { code, message } = only(await client.request(ping), "error").value;
    assert.deepEqual([code, message], [403, disabled]);
    assert.equal(await outcome(rotated.secret), disabled);
    assert.equal((await renewed()).status, 403);
    await assert.rejects(Client.connect(server.base, client.registered), {
      code: "permission_denied",
    });

    await operate(server.base, "/realms/9/enable");
    only(await client.request(ping), "pong");
    assert.equal((await renewed()).status, 200);
    assert.doesNotMatch(server.log.lines.join("\n"), new RegExp(rotated.secret));
  });
});
