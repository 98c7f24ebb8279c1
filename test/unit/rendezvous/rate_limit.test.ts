import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { RateLimit } from "../../../src/rendezvous/ais/rate_limit.ts";
import { clientAddress } from "../../../src/rendezvous/client_address.ts";
import { AisWorld, registration } from "./ais_world.ts";

describe("RateLimit", () => {
  it("tells each key after how many whole seconds the next may pass", async () => {
    const clock = new FakeClock();
    const limit = new RateLimit(clock, { burst: 2, perSecond: 0.5 });
    assert.deepEqual(
      [limit.take("a"), limit.take("a"), limit.take("a")],
      [undefined, undefined, 2],
    );
    assert.equal(limit.take("b"), undefined);
    await clock.advance(500);
    assert.equal(limit.take("a"), 2);
    await clock.advance(600);
    assert.equal(limit.take("a"), 1);
    await clock.advance(900);
    assert.equal(limit.take("a"), undefined);
  });

  it("holds a bounded number of keys, those used last", () => {
    const limit = new RateLimit(new FakeClock(), { burst: 1, perSecond: 1 });
    limit.take("old");
    limit.take("busy");
    for (let count = 0; count < 10_000; count++) {
      limit.take(`key ${count}`);
      if (count === 5_000) limit.take("busy");
    }
    assert.equal(limit.take("busy"), 1);
    assert.equal(limit.take("old"), undefined);
  });
});

describe("clientAddress", () => {
  const of = (remoteAddress: string, headers: Record<string, string> = {}, header?: string) =>
    clientAddress(new Request("http://node/", { headers }), { remoteAddress }, header);

  it("is that of the socket, whatever a client says of itself", () => {
    assert.equal(of("10.0.0.1", { "x-forwarded-for": "1.2.3.4" }), "10.0.0.1");
    assert.equal(of("10.0.0.1", {}, "x-forwarded-for"), "10.0.0.1");
  });

  it("is the last one that a proxy names", () => {
    const headers = { "x-forwarded-for": "6.6.6.6, 1.2.3.4" };
    assert.equal(of("10.0.0.1", headers, "x-forwarded-for"), "1.2.3.4");
  });

  it("is one for all that an IPv6 host has, and the IPv4 address in it", () => {
    assert.equal(of("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
    assert.equal(of("2001:0DB8::1:0:0:0:9%eth0"), "2001:db8:0:1::/64");
    assert.equal(of("2001:db8::9"), "2001:db8:0:0::/64");
    assert.equal(of("::1"), "0:0:0:0::/64");
    assert.equal(of("::ffff:10.0.0.1"), "10.0.0.1");
  });
});

describe("the rate of a realm", () => {
  const limits = { realmBurst: 2, realmIdentitiesPerSecond: 0.1 };
  const realms = [{ id: 1, secret: "rs_test123" }, { id: 2 }];

  it("answers who is too fast with 429 and when to come again, and lets others pass", async () => {
    const world = await AisWorld.open({ limits });
    const first = await world.enter();
    assert.equal((await world.renew(first)).status, 200);
    const over = await world.register();
    assert.deepEqual([over.status, over.code, over.retryAfterSeconds], [429, 429, 10]);
    const renewal = await world.renew(first);
    assert.deepEqual([renewal.status, renewal.code, renewal.retryAfterSeconds], [429, 429, 10]);
    assert.equal((await world.reissue(first)).status, 429);
    await world.enter({ realm: { realmId: 2 } });
    await world.clock.advance(10_000);
    assert.equal((await world.renew(first)).status, 200);
  });

  it("is not used up by who has no right to it", async () => {
    const world = await AisWorld.open({ limits, realms });
    for (let count = 0; count < 9; count++) {
      assert.equal((await world.register(registration(), "guess")).code, 403);
    }
    const first = await world.enter({}, "rs_test123");
    const forged = { ...first, renewalToken: new Uint8Array(32) };
    for (let count = 0; count < 9; count++) assert.equal((await world.renew(forged)).status, 401);
    assert.equal((await world.renew(first)).status, 200);
  });
});
