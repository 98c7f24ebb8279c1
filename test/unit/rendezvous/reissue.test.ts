import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex } from "../../../src/protocol/bytes.ts";
import { fromActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { decodeReissue } from "../../../src/protocol/reissue.ts";
import { reissue } from "../../../src/rendezvous/ais/reissue.ts";
import { AisWorld, registration } from "./ais_world.ts";

const hour = 3_600_000;
const realms = [{ id: 1, secret: "rs_test123" }];

describe("reissue", () => {
  it("gives a node its identity again after its renewal token ended", async () => {
    const world = await AisWorld.open({ realms });
    const first = await world.enter({}, "rs_test123");
    await world.clock.advance(30 * hour);
    assert.equal((await world.renew(first)).status, 401);
    const { status, ok } = await world.reissue(first, registration(), " rs_test123 ");
    assert.equal(status, 200);
    assert.ok(ok);
    assert.deepEqual(ok.actrId, first.actrId);
    assert.notDeepEqual(ok.renewalToken, first.renewalToken);
    assert.equal(Number(ok.renewalTokenExpiresAt?.seconds), world.now + 86_400);
    assert.equal(Number(ok.credentialExpiresAt?.seconds), world.now + 3600);
    assert.equal((await world.renew(ok)).status, 200);
  });

  it("gives the same to each try of a node that has not got the answer", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.clock.advance(30 * hour);
    const tries = await Promise.all([world.reissue(first), world.reissue(first)]);
    await world.clock.advance(1000);
    const [one, two, three] = [...tries, await world.reissue(first)];
    assert.ok(one?.ok && two?.ok && three?.ok);
    assert.deepEqual(one.ok.renewalToken, two.ok.renewalToken);
    assert.deepEqual(one.ok.renewalToken, three.ok.renewalToken);
    assert.equal((await world.renew(one.ok)).status, 200);
    assert.equal((await world.renew(first)).status, 401);
  });

  it("is refused once the token ended too long ago, though the identity lives on", async () => {
    const world = await AisWorld.open();
    const first = await world.enter();
    await world.clock.advance(47 * hour);
    const { ok } = await world.reissue(first);
    assert.ok(ok);
    await world.clock.advance(hour - 1000);
    assert.equal((await world.reissue(first)).status, 200);
    await world.clock.advance(1000);
    assert.equal((await world.reissue(first)).status, 401);
    assert.equal((await world.renew(ok)).status, 200);
  });

  it("takes what the node announces by now", async () => {
    const world = await AisWorld.open();
    const first = await world.enter({ wsAddress: "ws://10.0.0.1/ws" });
    const moved = registration({ wsAddress: "ws://10.0.0.2/ws" });
    assert.equal((await world.reissue(first, moved)).status, 200);
    const kept = await world.ais.registrations.get(fromActrIdMessage(first.actrId));
    assert.equal(kept?.profile.wsAddress, "ws://10.0.0.2/ws");
  });

  it("asks for all that a registration asks for", async () => {
    const world = await AisWorld.open({ realms });
    const first = await world.enter({}, "rs_test123");
    assert.equal((await world.reissue(first)).message, "Realm secret required");
    assert.equal((await world.reissue(first, registration(), "x")).status, 403);
    const malformed = registration({ manifestRaw: Uint8Array.of(1) });
    assert.equal((await world.reissue(first, malformed, "rs_test123")).status, 400);
  });

  it("is refused to who is another, or was never given that token", async () => {
    const world = await AisWorld.open();
    const [one, two] = [await world.enter(), await world.enter()];
    assert.equal((await world.reissue({ ...one, actrId: two.actrId } as never)).status, 401);
    const guessed = { ...one, renewalToken: new Uint8Array(32) };
    assert.equal((await world.reissue(guessed)).status, 401);
    const short = { ...one, renewalToken: new Uint8Array(31) };
    const { status, message } = await world.reissue(short);
    assert.deepEqual([status, message], [400, "Invalid renewal token length"]);
    assert.equal((await world.reissue(one, registration({}, "acme:other:1.0.0"))).status, 400);
    assert.equal((await world.reissue(one, registration({ realm: { realmId: 2 } }))).status, 400);
    assert.equal((await world.reissue(one)).status, 200);
  });

  it("is refused as undecodable where a part is missing or broken", async () => {
    const { ais } = await AisWorld.open();
    for (const hex of ["", "ff", "0a00", "0a021200", "12001a00"]) {
      const { status } = await reissue(ais, fromHex(hex) ?? assert.fail(), undefined);
      assert.equal(status, 400, hex);
    }
  });

  it("reads fields in any order and skips those that it does not know", () => {
    const id = "0a0208651001" + "1a0f0a0461636d6512046563686f1a0131";
    const parts = [`1a02abcd`, `2a0101`, `0a${(id.length / 2).toString(16)}${id}`, `1200`];
    const request = decodeReissue(fromHex(parts.join("")) ?? assert.fail());
    const type = { manufacturer: "acme", name: "echo", version: "1" };
    assert.deepEqual(request.id, { realm: 101, serial: 1n, type });
    assert.deepEqual(request.renewalToken, Uint8Array.of(0xab, 0xcd));
    assert.equal(request.registration.length, 0);
  });
});
