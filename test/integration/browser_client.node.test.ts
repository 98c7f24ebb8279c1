import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { serve, silentLogger } from "../../adapters/node/mod.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { app as echoApp } from "../../examples/echo/app.ts";
import { app as tailApp } from "../../examples/tail/app.ts";
import type { PeerConnection, PeerConnections } from "../../src/ports/peer_connections.ts";
import { formatActrId, parseActrId } from "../../src/protocol/ids.ts";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import type { ClientPage } from "../fixtures/chromium/client_page.ts";
import { webRtcNode } from "../fixtures/webrtc_node.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

const bounds = { timeout: 60_000, skip: chromiumMissing ?? (await whyMissing("wrtc")) ?? false };
const [echoType, tailType] = ["acme:EchoService:1.0.0", "acme:TailService:1.0.0"];
const entry = new URL("../fixtures/chromium/client_page.ts", import.meta.url);

/** Does one thing that the page offers. */
function ask<Name extends keyof ClientPage>(
  page: Page,
  name: Name,
  ...words: Parameters<ClientPage[Name]>
): Promise<Awaited<ReturnType<ClientPage[Name]>>> {
  return page.evaluate(
    async ([wanted, given]) => {
      const { page: offered } = globalThis as unknown as { page: ClientPage };
      return await (offered[wanted] as (...all: unknown[]) => unknown)(...given);
    },
    [name, words] as const,
  ) as Promise<Awaited<ReturnType<ClientPage[Name]>>>;
}

describe("connect() in a page", bounds, () => {
  let chromium: Chromium;
  let echo: Served;
  let tail: Served;

  before(async () => {
    // As in a user's browser, where addresses are hidden from peers.
    chromium = await Chromium.launch({ hidesAddresses: true });
    const common = { port: 0, hostname: "127.0.0.1", log: silentLogger(), webrtc: true };
    echo = await serve(echoApp, common);
    tail = await serve(tailApp, { ...common, identity: echo.identity });
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    await tail?.stop();
    await echo?.stop();
  });

  it("calls services and streams both ways by WebSocket, where it names itself in the query", async () => {
    const page = await chromium.open(entry);
    const id = await ask(page, "connect", echo.url, { webrtc: false });
    assert.match(id, /local:Client:0\.0\.0$/);
    assert.equal(await ask(page, "echo", echoType, "hi"), "Echo: hi");
    const lines = ["one", "two"];
    assert.deepEqual(await ask(page, "follow", tailType, lines), lines);
    const link = /^roost_links\{transport="websocket",direction="inbound"\} 1$/m;
    assert.match(await (await fetch(`${tail.url}/metrics`)).text(), link);

    const { streams } = tail.context;
    const chunks = [0, 1, 65_536, 262_144];
    const reader = streams.receive("up", { from: parseActrId(id) });
    const written = ask(page, "write", formatActrId(tail.id), "up", chunks);
    const seen: number[] = [];
    for await (const { payload } of reader) seen.push(payload.length);
    await written;
    assert.deepEqual(seen, chunks);
    await ask(page, "read", formatActrId(tail.id), "down");
    const writer = await streams.open(parseActrId(id), "down");
    for (const length of chunks) await writer.write(new Uint8Array(length));
    await writer.close();
    assert.deepEqual(await ask(page, "received"), chunks);
    await ask(page, "close");
    await page.close();
  });

  it("reaches a node by WebRTC although its own addresses are hidden behind names", async () => {
    const { stack, remote, connections } = watched(await webrtcStacks.wrtc());
    await using node = await webRtcNode("test:Hidden:1.0.0", echo.identity, { webrtc: stack });
    const page = await chromium.open(entry);
    await ask(page, "connect", echo.url);
    assert.equal(await ask(page, "probe", formatActrId(node.node.id), 100_000), 100_000);
    assert.ok(remote.length > 0);
    assert.ok(
      remote.every((candidate) => /\.local /.test(candidate)),
      remote.join("\n"),
    );
    assert.deepEqual(await connections[0]?.candidatePair(), { local: "host", remote: "prflx" });
    await page.close();
  });

  it("says what is wrong with an address, and with a page that is not secure", async () => {
    const page = await chromium.open(entry);
    assert.equal(await ask(page, "connect", "localhost"), "config");
    assert.equal(await ask(page, "connect", "http://127.0.0.1:1"), "registration");
    await page.evaluate(() =>
      Object.defineProperty(globalThis, "isSecureContext", { value: false }),
    );
    assert.equal(await ask(page, "connect", echo.url), "config");
    await page.close();
  });
});

/** A stack, its connections and the candidates that they were given. */
function watched(inner: PeerConnections): {
  readonly stack: PeerConnections;
  readonly remote: string[];
  readonly connections: PeerConnection[];
} {
  const [remote, connections]: [string[], PeerConnection[]] = [[], []];
  const create: PeerConnections["create"] = (options, handler) => {
    const connection = inner.create(options, handler);
    const { addCandidate } = connection;
    connection.addCandidate = (candidate) => {
      remote.push(candidate.candidate);
      return addCandidate.call(connection, candidate);
    };
    connections.push(connection);
    return connection;
  };
  return { stack: { ...inner, create }, remote, connections };
}
