import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { ActrError } from "../../src/errors.ts";
import { AisClient } from "../../src/identity/ais_client.ts";
import { CredentialKeeper } from "../../src/identity/credential_keeper.ts";
import { KeyCache } from "../../src/identity/key_cache.ts";
import { PeerVerifier } from "../../src/identity/peer_verifier.ts";
import { SessionState } from "../../src/identity/session_state.ts";
import type { Store } from "../../src/ports/store.ts";
import { actrIdEquals } from "../../src/protocol/ids.ts";
import { Heartbeat } from "../../src/signaling/heartbeat.ts";
import { SignalingClient } from "../../src/signaling/signaling_client.ts";
import type { Relay } from "../../src/signaling/signaling_listeners.ts";
import { RecordingLogger } from "../unit/identity/support.ts";
import { Running } from "./rendezvous_server.ts";

const clock = systemClock();
const random = systemRandom();
const within = (ms = 10_000) => ({ signal: AbortSignal.timeout(ms) });

/** Waits until `holds`, looking often. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const { signal } = within();
  while (!holds()) {
    if (signal.aborted) assert.fail(`never: ${what}`);
    await clock.sleep(10, { signal });
  }
}

/** The client side of one node: registered, connected, beating. */
async function join(base: string, name: string, wsAddress?: string) {
  const log = new RecordingLogger();
  const posts: string[] = [];
  const ais = new AisClient(
    {
      clock,
      fetch: (url, init) => {
        posts.push(new URL(url).pathname);
        return fetch(url, init);
      },
    },
    { url: `${base}/ais/` },
  );
  const type = { manufacturer: "acme", name, version: "1.0.0" };
  const registration = { type, realm: 1001, ...(wsAddress === undefined ? {} : { wsAddress }) };
  const session = new SessionState({ log }, await ais.register(registration, within()));
  const keeper = new CredentialKeeper({
    clock,
    random,
    log,
    session,
    ais,
    reissue: (id, token, options) => ais.reissue(id, token, registration, options),
    register: (options) => ais.register(registration, options),
  });
  const signaling = new SignalingClient(
    { sockets: nodeSockets(), clock, random, log, session, credentials: keeper },
    { url: `${base.replace("http", "ws")}/signaling/ws` },
  );
  const heartbeat = new Heartbeat({
    clock,
    log,
    session,
    signaling,
    credentials: keeper,
    load: () => ({ backlog: 0 }),
  });
  keeper.start();
  await signaling.connect(within());
  heartbeat.start();
  const leave = async (): Promise<void> => {
    heartbeat.close();
    await keeper.close();
    await signaling.close();
  };
  return { type, session, keeper, signaling, posts, log, leave };
}

describe("signaling with our rendezvous", () => {
  let server: Running;
  let store: Store;
  before(async () => {
    store = new MemoryStore();
    server = await Running.start(store);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await store.close();
  });

  it("finds a node with its address, verifies it, and passes messages on", async () => {
    const callee = await join(server.base, "Callee", "ws://127.0.0.1:9/ws");
    const caller = await join(server.base, "Caller");
    const { id, credential, signingKey } = callee.session.current;
    const found = await caller.signaling.routeCandidates(callee.type, 3, within());
    assert.deepEqual(found, [{ id, wsAddress: "ws://127.0.0.1:9/ws" }]);
    const listed = await caller.signaling.discover("acme", 64, within());
    assert.ok(listed.some(({ type }) => type.name === "Callee"));
    await assert.rejects(
      caller.signaling.getServiceSpec("nobody", within()),
      (error: unknown) => ActrError.is(error) && error.code === "not_found",
    );

    const keys = new KeyCache({
      clock,
      fetchKey: (keyId, options) => caller.signaling.getSigningKey(keyId, options),
    });
    const verifier = new PeerVerifier({ clock, keys });
    assert.deepEqual(await verifier.verify({ source: id, credential }, within()), id);
    assert.deepEqual(
      await caller.signaling.getSigningKey(signingKey.id, within()),
      signingKey.publicKey,
    );

    const relays: Relay[] = [];
    callee.signaling.listen({ relay: (relay) => relays.push(relay) });
    const value = { reason: "test" };
    caller.signaling.sendRelay(id, { case: "iceRestartRequest", value });
    await until(() => relays.length === 1, "the relay arrives");
    assert.ok(relays[0] !== undefined && actrIdEquals(relays[0].source, caller.session.current.id));

    await callee.signaling.unregister("Graceful shutdown", within());
    assert.deepEqual(await caller.signaling.routeCandidates(callee.type, 3, within()), []);
    await callee.leave();
    await caller.leave();
  });

  it("hears of nodes that come up", async () => {
    const watcher = await join(server.base, "Watcher");
    const seen: bigint[] = [];
    watcher.signaling.listen({ actrUp: ({ serial }) => seen.push(serial) });
    await watcher.signaling.subscribe(
      { manufacturer: "acme", name: "Late", version: "1.0.0" },
      within(),
    );
    const late = await join(server.base, "Late");
    await until(() => seen.includes(late.session.current.id.serial), "the event");
    await late.leave();
    await watcher.leave();
  });

  it("renews when warned, under the same id and on the same connection", async () => {
    const node = await join(server.base, "Renewing");
    const before = node.session.current;
    let losses = 0;
    node.signaling.listen({ disconnected: () => losses++ });
    node.keeper.warned();
    await until(() => !node.keeper.renewing, "the renewal ends");
    assert.notEqual(node.session.current.credential, before.credential);
    assert.deepEqual(node.session.current.id, before.id);
    await node.signaling.discover(undefined, 1, within());
    assert.deepEqual([losses, node.posts], [0, ["/ais/register", "/ais/renew"]]);
    await node.leave();
  });
});

describe("signaling over restarts of the server", () => {
  it("[T-87] comes back after each restart, without another registration", async () => {
    const store = new MemoryStore();
    let server = await Running.start(store);
    const node = await join(server.base, "Steady");
    const { port } = new URL(server.base);
    const identity = node.session.current;
    for (let restart = 0; restart < 2; restart++) {
      const waiting = node.signaling.getServiceSpec("nobody", within()).catch(() => {});
      await server[Symbol.asyncDispose]();
      await waiting;
      await until(() => !node.signaling.connected, "the loss is noticed");
      server = await Running.start(store, {}, Number(port));
      await node.signaling.connect(within());
      await until(() => server.rendezvous.health().nodes === 1, "the node is known again");
      await node.signaling.discover(undefined, 1, within());
    }
    assert.equal(node.session.current, identity);
    assert.deepEqual(node.posts, ["/ais/register"]);
    await node.leave();
    await server[Symbol.asyncDispose]();
    await store.close();
  });

  it("[ND-42] takes a new identity from a server that has forgotten everything", async () => {
    const store = new MemoryStore();
    let server = await Running.start(store);
    const node = await join(server.base, "Orphan");
    const { port } = new URL(server.base);
    await server[Symbol.asyncDispose]();
    await store.close();
    const fresh = new MemoryStore();
    server = await Running.start(fresh, {}, Number(port));
    await until(() => node.session.current.generation === 2, "a new identity");
    await node.signaling.connect(within());
    await node.signaling.discover(undefined, 1, within());
    assert.equal(node.session.phase, "active");
    const posts = ["/ais/register", "/ais/renew", "/ais/reissue", "/ais/register"];
    assert.deepEqual(node.posts, posts);
    await node.leave();
    await server[Symbol.asyncDispose]();
    await fresh.close();
  });
});
