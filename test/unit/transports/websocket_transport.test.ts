import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import type { RequestContext, Socket, Sockets } from "../../../src/ports/sockets.ts";
import type { Link } from "../../../src/ports/transport.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { duplexHeader, peerHeaders } from "../../../src/protocol/peer_headers.ts";
import { memorySocketPair } from "../../../transports/memory/memory_socket.ts";
import {
  type WebSocketComponents,
  type WebSocketOptions,
  WebSocketTransport,
} from "../../../transports/websocket/websocket_transport.ts";
import { claimOf, FakeVerifier, farId, nearId, silent } from "../../adapters/transport_peers.ts";

const never = new AbortController().signal;

const noSockets: Sockets = {
  name: "none",
  capabilities: { status: true, drops: true, pauses: true, headers: true },
  connect: () => Promise.reject(new ActrError("unavailable", "no network")),
};

interface Scene {
  readonly clock: FakeClock;
  readonly verifier: FakeVerifier;
  readonly transport: WebSocketTransport;
  readonly links: Link[];
  /** The client's ends of accepted sockets. */
  readonly clients: Socket[];
  listen(): Promise<AsyncDisposable>;
  upgrade(headers?: Record<string, string>, query?: Record<string, string>): Promise<Response>;
}

function scene(
  options: Partial<WebSocketOptions> = {},
  components: Partial<WebSocketComponents> = {},
): Scene {
  const clock = new FakeClock();
  const verifier = new FakeVerifier();
  const links: Link[] = [];
  const clients: Socket[] = [];
  const transport = new WebSocketTransport(
    {
      sockets: noSockets,
      clock,
      log: silent,
      identity: () => claimOf(farId),
      authenticate: verifier.authenticate,
      ...components,
    },
    options,
  );
  const context: RequestContext = {
    remoteAddress: "127.0.0.1",
    upgrade: (_options, onSocket) => {
      const faults = { delayMs: 0, blackhole: false };
      const [near, far] = memorySocketPair({ clock, faults, ended: () => {} });
      near.handle({ message: () => {}, closed: () => {} });
      clients.push(near);
      onSocket(far);
      return new Response(null);
    },
  };
  return {
    clock,
    verifier,
    transport,
    links,
    clients,
    listen: () => transport.listen((link) => links.push(link), { signal: never }),
    upgrade: (headers = peerHeaders(claimOf(nearId)), query = {}) => {
      const url = `http://localhost/ws?${new URLSearchParams(query)}`;
      return transport.accept(new Request(url, { headers }), context);
    },
  };
}

function peerNumber(serial: number): ActrId {
  return { ...nearId, serial: BigInt(serial) };
}

describe("websocket transport: before the upgrade", () => {
  it("answers 503 while nobody listens, and again once the listener has stopped", async () => {
    const { upgrade, listen } = scene();
    assert.equal((await upgrade()).status, 503);
    await (await listen())[Symbol.asyncDispose]();
    assert.equal((await upgrade()).status, 503);
  });

  it("answers 426 to a request that asks for no WebSocket", async () => {
    const { transport, listen } = scene();
    await listen();
    const request = new Request("http://localhost/ws");
    const response = await transport.accept(request, { remoteAddress: "127.0.0.1" });
    assert.equal(response.status, 426);
    assert.equal(response.headers.get("upgrade"), "websocket");
  });

  it("answers 401 without headers, with broken ones and with a credential that does not hold", async () => {
    const { upgrade, listen, links } = scene();
    await listen();
    const valid = peerHeaders(claimOf(nearId));
    const broken = [
      {},
      { ...valid, "x-actr-source-id": "zz" },
      { ...valid, "x-actr-credential": "!" },
      peerHeaders(claimOf(nearId, farId)),
    ];
    for (const headers of broken) assert.equal((await upgrade(headers)).status, 401);
    assert.equal(links.length, 0);
  });

  it("answers 403 when the credential holds for another peer or realm", async () => {
    for (const reason of ["actor", "realm"]) {
      const authenticate = (): Promise<ActrId> =>
        Promise.reject(new ActrError("permission_denied", "no", { details: { reason } }));
      const { upgrade, listen } = scene({}, { authenticate });
      await listen();
      assert.equal((await upgrade()).status, 403);
    }
  });

  it("answers 503 when the key cannot be had, and tells nothing of inner failures", async () => {
    const secret = new Error("secret text");
    for (const error of [new ActrError("unavailable", "secret text"), secret]) {
      const { upgrade, listen } = scene({}, { authenticate: () => Promise.reject(error) });
      await listen();
      const response = await upgrade();
      assert.equal(response.status, 503);
      assert.doesNotMatch(await response.text(), /secret/);
    }
  });

  it("gives a verification a deadline", async () => {
    const { clock, verifier, upgrade, listen } = scene({ authTimeoutMs: 700 });
    await listen();
    verifier.hold();
    const answer = upgrade();
    await clock.advance(700);
    assert.equal((await answer).status, 503);
    assert.equal(clock.pending, 0);
  });

  it("verifies no more dialers at once than the limit says", async () => {
    const { verifier, upgrade, listen, links } = scene({ maxUnauthenticated: 2 });
    await listen();
    const release = verifier.hold();
    const held = [upgrade(), upgrade()];
    const refused = await upgrade();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    release();
    await Promise.all(held);
    assert.equal((await upgrade()).status, 200);
    assert.equal(links.length, 3);
  });

  it("does not upgrade when the listener stopped during the verification", async () => {
    const { verifier, upgrade, listen, links } = scene();
    const listener = await listen();
    const release = verifier.hold();
    const answer = upgrade();
    await listener[Symbol.asyncDispose]();
    release();
    assert.equal((await answer).status, 503);
    assert.equal(links.length, 0);
  });
});

describe("websocket transport: after the upgrade", () => {
  it("replaces the oldest link of a peer beyond the limit, and no other's", async () => {
    const { clock, upgrade, listen, links, transport } = scene({ maxLinksPerPeer: 2 });
    await listen();
    await upgrade(peerHeaders(claimOf(farId)));
    for (let count = 0; count < 3; count++) await upgrade();
    await clock.settle();
    const [other, oldest] = links;
    assert.equal((await oldest?.closed)?.by, "local");
    assert.equal(transport.inboundLinks, 3);
    assert.equal(other?.peer.serial, farId.serial);
  });

  it("answers 503 beyond the limit of links, and takes new ones when some have gone", async () => {
    const { clock, upgrade, listen, links, transport } = scene({ maxLinks: 2 });
    await listen();
    for (const serial of [1, 2]) await upgrade(peerHeaders(claimOf(peerNumber(serial))));
    assert.equal((await upgrade(peerHeaders(claimOf(peerNumber(3))))).status, 503);
    void links[0]?.close("make room");
    await clock.settle();
    assert.equal(transport.inboundLinks, 1);
    assert.equal((await upgrade(peerHeaders(claimOf(peerNumber(3))))).status, 200);
  });

  it("listens once at a time", async () => {
    const { listen } = scene();
    const listener = await listen();
    await assert.rejects(listen(), TypeError);
    await listener[Symbol.asyncDispose]();
    await listen();
  });
});

describe("websocket transport: dialling", () => {
  it("knows which addresses it can dial", async () => {
    const { transport } = scene();
    assert.equal(transport.canDial({ id: farId }), false);
    assert.equal(transport.canDial({ id: farId, url: "http://localhost" }), false);
    assert.equal(transport.canDial({ id: farId, url: "ws://localhost:1" }), true);
    assert.equal(transport.canDial({ id: farId, url: "wss://localhost" }), true);
    await assert.rejects(transport.dial({ id: farId }, { signal: never }), { code: "unavailable" });
  });

  it("says of itself that it takes requests on the socket, and believes a dialer that says so", async () => {
    const seen: unknown[] = [];
    const sockets: Sockets = {
      ...noSockets,
      connect: (_url, { headers }) => {
        seen.push(headers?.[duplexHeader]);
        return Promise.reject(new ActrError("unavailable", "no network"));
      },
    };
    const { transport, upgrade, listen, links } = scene({}, { sockets });
    const address = { id: farId, url: "ws://localhost:1" };
    await assert.rejects(transport.dial(address, { signal: never }), { code: "unavailable" });
    assert.deepEqual(seen, ["1"]);
    await listen();
    await upgrade();
    await upgrade({ ...peerHeaders(claimOf(nearId)), [duplexHeader]: "1" });
    assert.deepEqual(
      links.map(({ duplex }) => duplex),
      [false, true],
    );
  });

  it("takes who dials from the query where the headers do not say it, as from a browser", async () => {
    const { upgrade, listen, links } = scene();
    await listen();
    const near = { ...peerHeaders(claimOf(nearId)), [duplexHeader]: "1" };
    await upgrade({}, near);
    assert.deepEqual(
      links.map(({ peer, duplex }) => ({ peer, duplex })),
      [{ peer: nearId, duplex: true }],
    );
    const forged = peerHeaders(claimOf(nearId, farId));
    assert.equal((await upgrade({}, forged)).status, 401);
    assert.equal((await upgrade(forged, near)).status, 401);
    assert.equal(links.length, 1);
  });

  it("reads identity and credential anew at each dial and sends them as headers", async () => {
    const seen: unknown[] = [];
    const sockets: Sockets = {
      ...noSockets,
      connect: (_url, { headers }) => {
        seen.push(headers?.["x-actr-source-id"]);
        return Promise.reject(new ActrError("unavailable", "no network"));
      },
    };
    let serial = 1;
    const { transport } = scene({}, { sockets, identity: () => claimOf(peerNumber(serial++)) });
    const address = { id: farId, url: "ws://localhost:1" };
    for (let count = 0; count < 2; count++) {
      await assert.rejects(transport.dial(address, { signal: never }), { code: "unavailable" });
    }
    assert.equal(new Set(seen).size, 2);
  });

  it("begins when the listener has greeted, or has had its time to verify who dials", async () => {
    const clock = new FakeClock();
    const faults = { delayMs: 0, blackhole: false };
    const [near, far] = memorySocketPair({ clock, faults, ended: () => {} });
    const sockets: Sockets = { ...noSockets, connect: () => Promise.resolve(near) };
    const { transport } = scene({}, { clock, sockets });
    const address = { id: farId, url: "ws://localhost:1" };
    let dialled = 0;
    const dial = (): Promise<void> =>
      transport.dial(address, { signal: never }).then(() => void dialled++);
    const silent = dial();
    await clock.advance(99);
    assert.equal(dialled, 0);
    await clock.advance(1);
    await silent;
    const greeted = dial();
    await clock.advance(1);
    assert.equal(dialled, 1);
    far.send(Uint8Array.of(4, 0, 0, 0, 0));
    await greeted;
    assert.equal(clock.monotonic(), 101);
  });

  it("greets those that know what that means, and nobody else", async () => {
    const { upgrade, listen, clients } = scene();
    await listen();
    await upgrade();
    await upgrade({ ...peerHeaders(claimOf(nearId)), [duplexHeader]: "1" });
    const heard: (readonly number[])[] = [];
    for (const client of clients)
      client.handle({ message: (data) => void heard.push([...data]), closed: () => {} });
    await new Promise(setImmediate);
    assert.deepEqual(heard, [[4, 0, 0, 0, 0]]);
  });
});
