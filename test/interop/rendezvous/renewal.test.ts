import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freePort } from "../../fixtures/ports.ts";
import { post } from "../peer/http.ts";
import { idText, readClaims } from "../peer/identity.ts";
import { discover, join, realm } from "./joining.ts";
import { RealClient, type RealClientSettings } from "./real_client.ts";
import { Server } from "./server.ts";

const type = "acme:renewing:1.0.0";
const minuteMs = 60_000;
/** In the last third of the life of a credential, an hour; after it; and after that of the renewal token, a day. */
const [nearEnd, afterEnd, afterToken] = [50 * minuteMs, 61 * minuteMs, 25 * 60 * minuteMs];
/** When a renewal hands out the next token, which has to be stored. */
const nearEndOfToken = 19 * 60 * minuteMs;

function client(
  { ais, signaling }: Server,
  more: Partial<RealClientSettings> = {},
): RealClientSettings {
  return { ais, signaling, type, realm, ...more };
}

function since(client: RealClient): string[] {
  return client.journal.splice(0);
}

describe("a real client that renews", () => {
  for (const [when, aheadMs, told] of [
    ["it is warned", nearEnd, "ping pong with a warning"],
    ["its credential has expired", afterEnd, "ping 401"],
  ] as const) {
    it(`keeps its id and its socket when ${when}`, async () => {
      await using server = await Server.start();
      await using node = await RealClient.start(client(server));
      const { id, connection } = node;
      const before = node.registered;
      since(node);
      await node.heartbeat();
      assert.deepEqual(since(node), ["ping pong"]);
      server.clock.aheadMs = aheadMs;
      await node.heartbeat();
      await node.heartbeat();
      assert.deepEqual(since(node), [told, "renew 200", "ping pong"]);
      assert.deepEqual([node.id, node.connection], [id, connection]);
      assert.ok(
        readClaims(node.registered.credential).expiresAt > readClaims(before.credential).expiresAt,
      );
      assert.deepEqual(node.registered.renewalToken, before.renewalToken);
      // Nobody else asks for a new id on its behalf.
      const { connection: asker } = await join(server, "acme:asker:1.0.0");
      await using _asker = asker;
      assert.deepEqual((await discover(asker, type)).map(idText), [id]);
    });
  }

  it("registers anew and leaves its old id when its token no longer counts: 401", async () => {
    await using server = await Server.start();
    await using node = await RealClient.start(client(server));
    const { id, connection } = node;
    since(node);
    server.clock.aheadMs = afterToken;
    await node.heartbeat();
    await node.heartbeat();
    assert.deepEqual(since(node), ["ping 401", "renew 401", "register", "upgrade", "ping pong"]);
    assert.notEqual(node.id, id);
    await connection.socket.closed;
    const { connection: asker } = await join(server, "acme:asker:1.0.0");
    await using _asker = asker;
    assert.deepEqual((await discover(asker, type)).map(idText), [node.id]);
  });

  it("stays up and is not ready when its realm is gone: 403", async () => {
    const options = { realms: [{ id: realm }] };
    await using server = await Server.start({ options, port: await freePort() });
    await using node = await RealClient.start(client(server));
    const { id, connection } = node;
    await server.restart({ realms: [{ id: 7 }] });
    await node.recovered(connection);
    since(node);
    await node.renew();
    await node.heartbeat();
    assert.deepEqual(since(node), ["renew 403", "upgrade 401"]);
    assert.deepEqual([node.id, node.isReady], [id, false]);
  });

  it("goes on as it is while the server cannot renew, until it can: 500", async () => {
    await using server = await Server.start();
    await using node = await RealClient.start(client(server));
    const { id, registered: before } = node;
    since(node);
    server.clock.aheadMs = nearEndOfToken;
    server.store.fail("the disk is gone");
    await node.heartbeat();
    assert.deepEqual(since(node), ["ping 401", "renew 500"]);
    server.store.fail(undefined);
    await node.heartbeat();
    await node.heartbeat();
    assert.deepEqual(since(node), ["ping 401", "renew 200", "ping pong"]);
    assert.equal(node.id, id);
    assert.notDeepEqual(node.registered.renewalToken, before.renewalToken);
  });

  it("goes on as it is when it is told to wait: 429", async () => {
    const limits = { addressBurst: 2, addressRequestsPerSecond: 0.001 };
    await using server = await Server.start({ options: { limits } });
    await using node = await RealClient.start(client(server));
    const { id } = node;
    since(node);
    server.clock.aheadMs = nearEnd;
    await node.heartbeat();
    await node.heartbeat();
    assert.deepEqual(since(node), [
      ...["ping pong with a warning", "renew 429"],
      ...["ping pong with a warning", "renew 429"],
    ]);
    assert.deepEqual([node.id, node.isReady], [id, true]);
    const { headers } = await post(`${server.ais}/renew`, [], new Uint8Array(0));
    assert.match(headers.get("retry-after") ?? "", /^[1-9][0-9]*$/);
  });
});

describe("a real client with membership_controller_enabled", () => {
  it("gets its id again when its token no longer counts, and keeps its socket", async () => {
    const options = { realms: [{ id: realm, secret: "rs_a-secret" }] };
    await using server = await Server.start({ options });
    const settings = { membership: true, realmSecret: "rs_a-secret" };
    await using node = await RealClient.start(client(server, settings));
    const { id, connection } = node;
    since(node);
    server.clock.aheadMs = afterToken;
    await node.heartbeat();
    await node.heartbeat();
    assert.deepEqual(since(node), ["ping 401", "renew 401", "reissue 200", "ping pong"]);
    assert.deepEqual([node.id, node.connection], [id, connection]);
    await node.renew();
    assert.deepEqual(since(node), ["renew 200"]);
  });

  it("renews when it is refused the upgrade, and is back at once", async () => {
    await using server = await Server.start({ port: await freePort() });
    await using node = await RealClient.start(client(server, { membership: true }));
    const { id, connection } = node;
    server.clock.aheadMs = afterEnd;
    await server.restart();
    await node.recovered(connection);
    assert.deepEqual(since(node).slice(-3), ["upgrade 401", "renew 200", "upgrade"]);
    assert.equal(node.id, id);
  });
});
