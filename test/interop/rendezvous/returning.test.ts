import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { delay } from "#async";
import { freePort } from "../../fixtures/ports.ts";
import { idText } from "../peer/identity.ts";
import { Refused } from "../peer/registration.ts";
import { descriptionTypes, writeSignal } from "../peer/signals.ts";
import { relays } from "./envelope.ts";
import { discover, join, realm } from "./joining.ts";
import { RealClient, type RealClientSettings } from "./real_client.ts";
import { Server } from "./server.ts";

const type = "acme:returning:1.0.0";
const offer = { kind: "description", type: descriptionTypes.offer, sdp: "v=0\r\n" } as const;

function client(
  { ais, signaling }: Server,
  more: Partial<RealClientSettings> = {},
): RealClientSettings {
  return { ais, signaling, type, realm, ...more };
}

/** What the client did since it was asked last. */
function since(client: RealClient): string[] {
  return client.journal.splice(0);
}

/** Resolves when `client` has noted `what`. */
async function noted(client: RealClient, what: string): Promise<void> {
  while (!client.journal.includes(what)) await delay(5);
}

/** Whether a note tells of an upgrade that was not to be, at a server that stops or is gone. */
function isRefused(note: string): boolean {
  return ["upgrade failed", "upgrade 503"].includes(note);
}

/** Resolves when it has noted so much, and has come to rest. */
async function attempts(client: RealClient, count: number): Promise<void> {
  while (client.journal.length < count) await delay(5);
  await client.returned;
}

describe("a real client that comes and comes back", () => {
  it("registers once, and asks for the upgrade until it is let in", async () => {
    await using server = await Server.start({ options: { limits: { maxConnections: 1 } } });
    const { connection } = await join(server, "acme:earlier:1.0.0");
    await using waiting = new RealClient(client(server));
    await noted(waiting, "upgrade 503");
    await connection[Symbol.asyncDispose]();
    await waiting.started;
    const journal = since(waiting);
    assert.deepEqual([...new Set(journal)], ["register", "upgrade 503", "upgrade"]);
    assert.equal(journal.filter((each) => each === "register").length, 1);
  });

  it("does not start when its registration is refused, and does not ask again", async () => {
    await using server = await Server.start({ options: { realms: [{ id: 7 }] } });
    await using refused = new RealClient(client(server));
    await assert.rejects(
      refused.started,
      (error) => error instanceof Refused && error.code === 403,
    );
    assert.deepEqual(refused.journal, []);
  });

  it("comes back to a server that restarts, without registering, and is in sight without a word", async () => {
    await using server = await Server.start({ port: await freePort() });
    await using back = await RealClient.start(client(server));
    const { id, connection: lost } = back;
    since(back);
    await server.restart();
    await back.recovered(lost);
    const [came, ...before] = since(back).reverse();
    assert.equal(came, "upgrade");
    assert.ok(before.every(isRefused), before.join());
    const { connection: asker } = await join(server, "acme:asker:1.0.0");
    await using _asker = asker;
    assert.deepEqual((await discover(asker, type)).map(idText), [id]);
    asker.relay(back.registered.id, relays.description, writeSignal(offer));
    await back.connection.relayed();
    await back.heartbeat();
    assert.deepEqual(since(back), ["ping pong"]);
  });

  it("tries at every heartbeat while the server is away, longer than its pauses", async () => {
    await using server = await Server.start({ port: await freePort() });
    await using back = await RealClient.start(client(server));
    const { port } = server;
    since(back);
    await server.stop();
    await attempts(back, 3);
    await back.heartbeat();
    const tried = since(back);
    assert.equal(tried.length, 4);
    assert.ok(tried.every(isRefused), tried.join());
    await using _again = await Server.start({ store: server.store, port });
    await back.heartbeat();
    await back.heartbeat();
    assert.deepEqual(since(back), ["upgrade", "ping pong"]);
  });

  it("is refused for ever by a server that has lost its keys: it neither renews nor registers", async () => {
    await using server = await Server.start({ port: await freePort() });
    await using lost = await RealClient.start(client(server));
    const { port } = server;
    since(lost);
    await server.stop();
    await attempts(lost, 3);
    since(lost);
    const forgetful = await Server.start({ port });
    await lost.heartbeat();
    await lost.heartbeat();
    assert.deepEqual(since(lost), ["upgrade 401", "upgrade 401"]);
    await forgetful.stop();
    await using _again = await Server.start({ store: server.store, port });
    await lost.heartbeat();
    await lost.heartbeat();
    assert.deepEqual(since(lost), ["upgrade", "ping pong"]);
  });
});
