import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, formatActrId, version } from "@roost/edge";
import { TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { httpApp } from "../../../src/http/app.ts";
import type { NodeHealth } from "../../../src/node/health.ts";
import { peerHeaders } from "../../../src/protocol/peer_headers.ts";
import { echoNode, gate } from "../node/support.ts";

const limit = { timeout: 60_000 };
const websocket = { transport: "websocket" } as const;

describe("http endpoint", () => {
  it("/healthz says that the process is up, also while the node starts", limit, async () => {
    await using world = await TestWorld.open();
    const door = gate();
    const starting = TestNode.start(
      world,
      echoNode(undefined, { hooks: { onStart: () => door.promise } }),
    );
    await world.clock.settle();
    const ask = (path: string) => world.network.fetch(`http://node-1${path}`);
    assert.equal((await ask("/healthz")).status, 200);
    const ready = await ask("/readyz");
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), { ready: false, reasons: ["node is starting"] });
    assert.equal((await ask("/health")).status, 503);
    assert.equal(await (await ask("/metrics")).text(), "");
    door.open();
    await starting;
    assert.equal((await ask("/readyz")).status, 200);
  });

  it("/readyz is 503 with every reason while requests are not taken", limit, async () => {
    const door = gate();
    await using t = await testNode(echoNode(() => door.promise.then(() => "")));
    assert.equal(await (await t.fetch("/readyz")).text(), "ready");
    await t.world.stopRendezvous();
    await t.clock.settle();
    const away = await t.fetch("/readyz");
    assert.equal(away.status, 503);
    assert.deepEqual(await away.json(), { ready: false, reasons: ["signaling is not connected"] });
    await t.world.startRendezvous();
    await t.clock.advance(60_000);
    assert.equal((await t.fetch("/readyz")).status, 200);

    const call = t.service(EchoService).echo({ message: "x" });
    await t.clock.settle();
    const stopping = t.node.stop();
    await t.clock.settle();
    const { reasons } = (await (await t.fetch("/readyz")).json()) as { reasons: string[] };
    assert.ok(reasons.includes("node is stopping"), reasons.join());
    door.open();
    await Promise.all([call, stopping]);
  });

  it("/health shows who the node is and how it does", limit, async () => {
    await using t = await testNode(echoNode());
    await t.service(EchoService).echo({ message: "x" });
    await t.clock.advance(1_000);
    const response = await t.fetch("/health");
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    const health = (await response.json()) as Record<string, unknown>;
    assert.equal(health["id"], formatActrId(t.id));
    assert.equal(health["type"], "acme:EchoService:1.0.0");
    assert.equal(health["realm"], 1001);
    assert.equal(health["version"], version);
    assert.equal(health["phase"], "running");
    assert.equal(health["runtime"], "memory");
    assert.equal(health["uptimeMs"], 1_000);
    assert.deepEqual(health["signaling"], { connected: true });
    const [peer] = (health as unknown as NodeHealth).peers;
    const [link, ...others] = peer?.links ?? [];
    assert.ok(link !== undefined && others.length === 0);
    const { receivedBytes, sentBytes, ...facts } = link;
    assert.deepEqual(facts, {
      transport: "memory",
      direction: "inbound",
      inUse: true,
      works: true,
      relayed: null,
      rttMs: null,
    });
    assert.ok((receivedBytes ?? 0) > 0 && (sentBytes ?? 0) > 0);
  });

  it("/health tells all that the contract names, also what is wrong", limit, async () => {
    const door = gate();
    const stuck = { onSignalingDisconnected: () => door.promise };
    const options = { lifecycle: { maxHookEvents: 1 } };
    await using t = await testNode(echoNode(undefined, { hooks: stuck, options }));
    const health = async () => (await (await t.fetch("/health")).json()) as NodeHealth;
    const well = await health();
    assert.deepEqual([well.ready, well.reasons, well.session], [true, [], "active"]);
    assert.deepEqual(well.mailbox, { queued: 0, inFlight: 0, high: 0, bytes: 0 });
    assert.deepEqual([well.calls.pending, well.peerCount, well.hooks.dropped], [0, 0, 0]);
    assert.deepEqual(
      [well.store.name, well.store.durable, well.store.fault],
      ["memory", false, null],
    );
    assert.equal(well.deadLetters.written, 0);
    assert.ok(well.credential.expiresAt > t.clock.now());
    assert.equal(well.credential.generation, t.node.presence.session.current.generation);
    const { hooks } = t.node;
    for (let n = 0; n < 3; n++) hooks.emit("onSignalingDisconnected", { reason: "a test" });
    await t.world.stopRendezvous();
    await t.clock.settle();
    const ill = await health();
    assert.deepEqual([ill.ready, ill.reasons], [false, ["signaling is not connected"]]);
    assert.deepEqual(ill.signaling, { connected: false });
    assert.ok(ill.hooks.dropped >= 1, `${ill.hooks.dropped} dropped`);
    const metrics = await (await t.fetch("/metrics")).text();
    assert.match(metrics, new RegExp(`^roost_hook_events_dropped_total ${hooks.dropped}$`, "m"));
    door.open();
  });

  it("shows no secret anywhere", limit, async () => {
    await using t = await testNode(echoNode());
    const { credential, renewalToken } = t.node.presence.session.current;
    const hidden = [credential.signature, renewalToken ?? new Uint8Array()];
    for (const path of ["/health", "/metrics", "/readyz"]) {
      const text = await (await t.fetch(path)).text();
      for (const bytes of hidden) {
        assert.ok(bytes.length > 8);
        assert.doesNotMatch(text, new RegExp(Buffer.from(bytes).toString("hex"), "i"));
        assert.equal(text.includes(Buffer.from(bytes).toString("base64")), false);
      }
    }
  });

  it("/metrics counts what was done, in Prometheus text", limit, async () => {
    await using t = await testNode(echoNode());
    const value = async (name: string): Promise<number> => {
      const text = await (await t.fetch("/metrics")).text();
      const line = text.split("\n").find((each) => each.startsWith(`${name} `));
      assert.ok(line !== undefined, name);
      assert.match(text, new RegExp(`# TYPE ${name} (counter|gauge)`));
      return Number(line.split(" ")[1]);
    };
    assert.equal(await value("roost_requests_total"), 0);
    for (const message of ["a", "b", "c"]) await t.service(EchoService).echo({ message });
    const peer = await t.peer();
    await assert.rejects(peer.context.call(t.id, "acme.Nothing.Here", new Uint8Array()));
    assert.equal(await value("roost_up"), 1);
    assert.equal(await value("roost_requests_total"), 3);
    assert.equal(await value("roost_requests_refused_total"), 1);
    assert.equal(await value("roost_peers"), 2);
    assert.equal(await value("roost_mailbox_in_flight"), 0);
    assert.equal(await value("roost_signaling_connected"), 1);
  });

  it("answers 404 for what it does not have", limit, async () => {
    await using t = await testNode(echoNode());
    for (const path of ["/", "/nothing", "/ais/health"])
      assert.equal((await t.fetch(path)).status, 404, path);
  });
});

describe("http endpoint for peers", () => {
  it("has the application answer what nobody else does, and nothing else", limit, async () => {
    const paths: string[] = [];
    const fetch = httpApp({
      node: () => undefined,
      acceptPeer: () => undefined,
      rendezvous: ({ url }) =>
        new Response("ais", { status: new URL(url).pathname === "/ais/health" ? 200 : 404 }),
      application: ({ url }) => {
        paths.push(new URL(url).pathname);
        return new Response("page");
      },
      runtime: "test",
    });
    const ask = async (path: string): Promise<string> => {
      const request = new Request(`http://node${path}`);
      return await (await fetch(request, { remoteAddress: "127.0.0.1" })).text();
    };
    const answers: string[] = [];
    for (const path of ["/", "/page.js", "/ais/health", "/healthz"]) answers.push(await ask(path));
    assert.deepEqual(answers, ["page", "page", "ais", "ok"]);
    assert.deepEqual(paths, ["/", "/page.js"]);
  });

  it("answers 426 on /ws without an upgrade", limit, async () => {
    await using t = await testNode(echoNode(), websocket);
    const response = await t.fetch("/ws");
    assert.equal(response.status, 426);
    assert.equal(response.headers.get("upgrade"), "websocket");
  });

  it("answers 401 before the upgrade to who has no credential, or another's", limit, async () => {
    await using t = await testNode(echoNode(), websocket);
    const peer = await t.peer(defineNode({}));
    const { credential } = peer.node.presence.session.current;
    const { id: source } = peer;
    const good = peerHeaders({ source, credential });
    const forged = peerHeaders({
      source,
      credential: { ...credential, signature: new Uint8Array(64) },
    });
    const others = peerHeaders({ source: t.id, credential });
    assert.equal(await dial(t, "/ws", {}), 401);
    assert.equal(await dial(t, "/ws", forged), 401);
    assert.equal(await dial(t, "/ws", others), 403);
    assert.equal(await dial(t, "/ws", good), 101);
    assert.equal(t.node.outbound.sessions.size, 1);
  });

  it(
    "takes peers on / too, told by their headers or, from browsers, their query",
    limit,
    async () => {
      await using t = await testNode(echoNode(), websocket);
      const peer = await t.peer(defineNode({}));
      const { credential } = peer.node.presence.session.current;
      assert.equal(await dial(t, "/", {}), 404);
      const facts = peerHeaders({ source: peer.id, credential });
      assert.equal(await dial(t, "/", facts), 101);
      assert.equal(await dial(t, `/?${new URLSearchParams(facts)}`, {}), 101);
    },
  );

  it("answers 503 while the node does not listen yet, and once it stops", limit, async () => {
    await using world = await TestWorld.open();
    await world.stopRendezvous();
    const starting = TestNode.start(world, echoNode(), websocket);
    const failed = assert.rejects(starting);
    const early = await world.network.fetch("http://node-1/ws");
    assert.equal(early.status, 503);
    assert.equal(early.headers.get("retry-after"), "1");
    await world.clock.through(failed);
  });
});

/** The status with which a dial to the node ends. */
async function dial(
  t: TestNode,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const sockets = t.world.network.sockets();
  const options = { headers, maxMessageBytes: 1_000_000, signal: new AbortController().signal };
  try {
    await sockets.connect(`ws://${t.host}${path}`, options);
    return 101;
  } catch (error) {
    return Number((error as { details?: { status?: number } }).details?.status);
  }
}
