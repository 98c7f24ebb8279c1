import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { fromActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { AisWorld } from "./ais_world.ts";
import { silent } from "./silent_logger.ts";

const hour = 3_600_000;

describe("the identity service", () => {
  it("keeps a renewal token until its last six hours, then hands out the next", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.clock.advance(17 * hour);
    const same = await world.renew(first);
    assert.deepEqual(same.ok?.renewalToken, first.renewalToken);
    assert.deepEqual(same.ok?.renewalTokenExpiresAt, first.renewalTokenExpiresAt);
    await world.clock.advance(hour);
    const next = await world.renew(first);
    assert.notDeepEqual(next.ok?.renewalToken, first.renewalToken);
    const end = Number(first.renewalTokenExpiresAt?.seconds);
    assert.equal(Number(next.ok?.renewalTokenExpiresAt?.seconds), end + 86_400);
  });

  it("refuses a token from its end on", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.clock.advance(24 * hour - 1000);
    assert.equal((await world.renew(first)).status, 200);
    await world.clock.advance(1000);
    assert.equal((await world.renew(first)).status, 401);
  });

  it("derives the same successor after a restart", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.clock.advance(20 * hour);
    const one = await (await world.restart()).renew(first);
    const two = await (await world.restart()).renew(first);
    assert.ok(one.ok);
    assert.deepEqual(one.ok.renewalToken, two.ok?.renewalToken);
  });

  it("stores no token", async () => {
    const world = await AisWorld.open();
    const { renewalToken } = await world.enter();
    const records = await world.store.records("rendezvous.registrations", "", 9);
    const text = records.map(({ value }) => new TextDecoder().decode(value)).join();
    assert.match(text, /acme:echo/);
    assert.ok(!text.includes(Buffer.from(renewalToken).toString("base64")));
  });

  it("signs with the kept key after a restart", async () => {
    const world = await AisWorld.open();
    const { credential, actrId, signingPubkey } = await world.enter();
    const { ais } = await world.restart();
    assert.deepEqual(ais.keys.current, { keyId: 1, publicKey: signingPubkey });
    assert.ok(credential);
    const claims = await ais.keys.verify(credential, { now: world.now, realm: 1 });
    assert.equal(claims.actorId, formatActrId(fromActrIdMessage(actrId)));
  });

  it("answers a failing store with 500, not with a failed request", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.store.close();
    const { status, code } = await world.register();
    assert.deepEqual([status, code], [200, 500]);
    assert.equal((await world.renew(first)).status, 500);
    assert.equal((await world.reissue(first)).status, 500);
  });

  it("says that it is degraded when its store does not answer", async () => {
    const { store, clock } = await AisWorld.open();
    const components = { store, clock, random: new SeededRandom(), log: silent };
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
    const world = await AisWorld.open();
    const { store, clock } = world;
    await world.enter();
    await clock.advance(2 * hour);
    const young = await world.enter();
    await clock.advance(24 * hour - 1);
    {
      const components = { store, clock, random: new SeededRandom(), log: silent };
      await using _rendezvous = await Rendezvous.open(components, { reissueMs: hour });
    }
    const left = await store.records("rendezvous.registrations", "", 9);
    assert.equal(left.length, 1);
    assert.equal((await world.renew(young)).status, 200);
    assert.equal(clock.pending, 0);
  });
});
