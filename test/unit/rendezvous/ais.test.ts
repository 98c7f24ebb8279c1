import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { fromActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { formatActrId, parseActrType } from "../../../src/protocol/ids.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  RegisterRequestSchema,
  type RegisterResponse_RegisterOk,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
  RenewCredentialResponseSchema,
} from "../../../src/protocol/schema.ts";
import type { Ais } from "../../../src/rendezvous/ais.ts";
import { openAis } from "../../../src/rendezvous/open_ais.ts";
import { resolveRendezvousOptions } from "../../../src/rendezvous/options.ts";
import { register } from "../../../src/rendezvous/register.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { renew } from "../../../src/rendezvous/renew.ts";
import { AisWorld } from "./ais_world.ts";
import { silent } from "./silent_logger.ts";

const hour = 3_600_000;

async function open(store = new MemoryStore(), clock = new FakeClock()): Promise<Ais> {
  const components = { store, clock, random: new SeededRandom(), log: silent };
  return await openAis(components, resolveRendezvousOptions({}));
}

const request = encode(RegisterRequestSchema, {
  actrType: parseActrType("acme:echo:1.0.0"),
  realm: { realmId: 1 },
  authMode: RegisterAuthMode.LINKED,
});

async function enter(ais: Ais): Promise<RegisterResponse_RegisterOk> {
  const { bytes } = await register(ais, request, undefined);
  const { result } = decode(RegisterResponseSchema, bytes);
  assert.equal(result.case, "success");
  return result.value;
}

async function exchange(ais: Ais, { actrId, renewalToken }: RegisterResponse_RegisterOk) {
  const body = encode(RenewCredentialRequestSchema, { actrId, renewalToken } as never);
  const { status, bytes } = await renew(ais, body);
  const { result } = decode(RenewCredentialResponseSchema, bytes);
  const code = result.case === "error" ? result.value.code : status;
  assert.equal(code, status);
  return { status, ok: result.case === "success" ? result.value : undefined };
}

describe("the identity service", () => {
  it("keeps a renewal token until its last six hours, then hands out the next", async () => {
    const clock = new FakeClock();
    const ais = await open(new MemoryStore(), clock);
    const first = await enter(ais);
    await clock.advance(17 * hour);
    const same = await exchange(ais, first);
    assert.deepEqual(same.ok?.renewalToken, first.renewalToken);
    assert.deepEqual(same.ok?.renewalTokenExpiresAt, first.renewalTokenExpiresAt);
    await clock.advance(hour);
    const next = await exchange(ais, first);
    assert.notDeepEqual(next.ok?.renewalToken, first.renewalToken);
    const end = Number(first.renewalTokenExpiresAt?.seconds);
    assert.equal(Number(next.ok?.renewalTokenExpiresAt?.seconds), end + 86_400);
  });

  it("refuses a token from its end on", async () => {
    const clock = new FakeClock();
    const ais = await open(new MemoryStore(), clock);
    const first = await enter(ais);
    await clock.advance(24 * hour - 1000);
    assert.equal((await exchange(ais, first)).status, 200);
    await clock.advance(1000);
    assert.equal((await exchange(ais, first)).status, 401);
  });

  it("derives the same successor after a restart", async () => {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const first = await enter(await open(store, clock));
    await clock.advance(20 * hour);
    const one = await exchange(await open(store.reopen(), clock), first);
    const two = await exchange(await open(store.reopen(), clock), first);
    assert.ok(one.ok);
    assert.deepEqual(one.ok.renewalToken, two.ok?.renewalToken);
  });

  it("stores no token and no secret of a realm", async () => {
    const store = new MemoryStore();
    const ais = await open(store);
    const { renewalToken } = await enter(ais);
    const records = await store.records("rendezvous.registrations", "", 9);
    const text = records.map(({ value }) => new TextDecoder().decode(value)).join();
    assert.match(text, /acme:echo/);
    assert.ok(!text.includes(Buffer.from(renewalToken).toString("base64")));
  });

  it("signs with the kept key after a restart", async () => {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const { credential, actrId, signingPubkey } = await enter(await open(store, clock));
    const again = await open(store.reopen(), clock);
    assert.deepEqual(again.keys.current, { keyId: 1, publicKey: signingPubkey });
    assert.ok(credential);
    const now = Math.floor(clock.now() / 1000);
    const claims = await again.keys.verify(credential, { now, realm: 1 });
    assert.equal(claims.actorId, formatActrId(fromActrIdMessage(actrId)));
  });

  it("answers a failing store with 500, not with a failed request", async () => {
    const store = new MemoryStore();
    const ais = await open(store);
    const first = await enter(ais);
    await store.close();
    const { status, bytes } = await register(ais, request, undefined);
    const { result } = decode(RegisterResponseSchema, bytes);
    assert.equal(result.case, "error");
    assert.deepEqual([status, result.value.code], [200, 500]);
    assert.equal((await exchange(ais, first)).status, 500);
  });

  it("says that it is degraded when its store does not answer", async () => {
    const store = new MemoryStore();
    const components = {
      store,
      clock: new FakeClock(),
      random: new SeededRandom(),
      log: silent,
    };
    await using rendezvous = await Rendezvous.open(components);
    const health = async () => {
      const request = new Request("http://node/ais/health");
      const response = await rendezvous.fetch(request, { remoteAddress: "10.0.0.1" });
      return ((await response.json()) as { status: string }).status;
    };
    assert.equal(await health(), "healthy");
    await store.close();
    assert.equal(await health(), "degraded");
  });

  it("hands out the servers by which nodes find paths to each other", async () => {
    const iceUrls = ["stun:stun.example:3478", "turn:turn.example:3478?transport=tcp"];
    const world = await AisWorld.open({ iceUrls });
    const first = await world.enter();
    assert.deepEqual(first.turnCredential?.iceUrls, iceUrls);
    assert.deepEqual((await world.renew(first)).ok?.turnCredential?.iceUrls, iceUrls);
    const plain = await (await AisWorld.open()).enter();
    assert.deepEqual(plain.turnCredential?.iceUrls, []);
  });

  it("forgets identities that can no longer come back, and no others", async () => {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const ais = await open(store, clock);
    await enter(ais);
    await clock.advance(2 * hour);
    const young = await enter(ais);
    await clock.advance(24 * hour - 1);
    {
      const components = { store, clock, random: new SeededRandom(), log: silent };
      await using _rendezvous = await Rendezvous.open(components, { reissueMs: hour });
    }
    const left = await store.records("rendezvous.registrations", "", 9);
    assert.equal(left.length, 1);
    assert.equal((await exchange(ais, young)).status, 200);
    assert.equal(clock.pending, 0);
  });
});
