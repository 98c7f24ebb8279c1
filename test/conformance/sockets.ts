import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../src/errors.ts";
import type { Socket, Sockets, UpgradeOptions } from "../../src/ports/sockets.ts";
import { withResolvers } from "../../src/with_resolvers.ts";
import { sameBytes } from "./bytes.ts";
import { Inbox, type Pair, served, socketPair } from "./socket_pair.ts";

const limit = { timeout: 60_000 };
const never = new AbortController().signal;

/** How the suite reaches a server other than by the adapter's own client. */
export interface SocketsReach {
  /** A plain HTTP request. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
}

const loopback: SocketsReach = { fetch: (url, init) => fetch(url, init) };

/** What every Sockets adapter with a server must do; it runs on loopback with real connections unless `reach` says how else. */
export function socketsConformance(
  name: string,
  open: () => Sockets,
  reach: SocketsReach = loopback,
): void {
  describe(`sockets: ${name}`, () => {
    messages(open());
    texts(open());
    opening(open());
    subprotocols(open());
    ending(open());
    pressure(open());
    http(open(), reach);
  });
}

function messages(sockets: Sockets): void {
  for (const size of [0, 1, 65_536, 1_048_576, 16_777_216]) {
    it(`carries ${size} bytes there and back unchanged`, limit, async () => {
      await using pair = await socketPair(sockets);
      const sent = pattern(size);
      pair.client.send(sent);
      await pair.remoteInbox.until(() => pair.remoteInbox.messages.length === 1);
      pair.remote.send(received(pair.remoteInbox, 0));
      await pair.clientInbox.until(() => pair.clientInbox.messages.length === 1);
      const back = received(pair.clientInbox, 0);
      assert.equal(back.constructor, Uint8Array);
      assert.ok(sameBytes(back, pattern(size)));
    });
  }

  it("keeps the order of 10,000 small messages in each direction", limit, async () => {
    await using pair = await socketPair(sockets);
    const count = 10_000;
    for (let index = 0; index < count; index++) {
      pair.client.send(numbered(index));
      pair.remote.send(numbered(index));
    }
    for (const inbox of [pair.clientInbox, pair.remoteInbox]) {
      await inbox.until(() => inbox.messages.length === count);
      assert.ok(inbox.messages.every((message, index) => numberOf(message) === index));
    }
  });

  it("leaves a message alone that its sender keeps", limit, async () => {
    await using pair = await socketPair(sockets);
    const kept = pattern(1_000);
    pair.client.send(kept);
    pair.remote.send(kept);
    await pair.remoteInbox.until(() => pair.remoteInbox.messages.length === 1);
    await pair.clientInbox.until(() => pair.clientInbox.messages.length === 1);
    assert.deepEqual(kept, pattern(1_000));
  });

  it("delivers what arrived before the handler was installed, in order", limit, async () => {
    await using host = await served(sockets, (_request, { upgrade }) =>
      accept(upgrade, (socket) => {
        socket.handle(new Inbox());
        socket.send(numbered(0));
        socket.send(numbered(1));
      }),
    );
    const client = await host.connect();
    const inbox = new Inbox();
    client.handle(inbox);
    await inbox.until(() => inbox.messages.length === 2);
    assert.deepEqual(inbox.messages.map(numberOf), [0, 1]);
  });
}

function texts(sockets: Sockets): void {
  for (const sender of ["client", "remote"] as const) {
    const other = (pair: Pair): Inbox =>
      sender === "client" ? pair.remoteInbox : pair.clientInbox;

    it(`carries texts of the ${sender}, in order with its binary messages`, limit, async () => {
      await using pair = await socketPair(sockets);
      const sent = ["", numbered(1), '{"Grüße":"🐓"}', numbered(2), "x".repeat(1_048_576)];
      for (const message of sent) {
        if (typeof message === "string") pair[sender].sendText(message);
        else pair[sender].send(message);
      }
      const inbox = other(pair);
      await inbox.until(() => inbox.mixed.length === sent.length);
      assert.deepEqual(inbox.mixed.map(plain), sent.map(plain));
    });

    it(`ends the socket with 1009 when a text of the ${sender} is too long`, limit, async () => {
      await using pair = await socketPair(sockets, 1_000);
      const longest = "ü".repeat(500);
      pair[sender].sendText(longest);
      pair[sender].sendText(`${longest}!`);
      const inbox = other(pair);
      assert.equal((await inbox.end).code, 1009);
      assert.deepEqual(inbox.mixed, [longest]);
    });

    it(`drops texts of the ${sender} when nobody takes them, and goes on`, limit, async () => {
      await using pair = await socketPair(sockets);
      const inbox = new Inbox();
      const receiver = sender === "client" ? pair.remote : pair.client;
      receiver.handle({ message: (data) => inbox.message(data), closed: () => {} });
      pair[sender].sendText("text");
      pair[sender].send(numbered(7));
      await inbox.until(() => inbox.messages.length > 0);
      assert.equal(numberOf(received(inbox, 0)), 7);
    });
  }

  it("delivers texts that arrived before the handler was installed, in order", limit, async () => {
    await using host = await served(sockets, (_request, { upgrade }) =>
      accept(upgrade, (socket) => {
        socket.handle(new Inbox());
        socket.sendText("early");
        socket.send(numbered(1));
        socket.sendText("bird");
      }),
    );
    const client = await host.connect();
    const inbox = new Inbox();
    client.handle(inbox);
    await inbox.until(() => inbox.mixed.length === 3);
    assert.deepEqual(inbox.mixed.map(plain), ["early", plain(numbered(1)), "bird"]);
  });

  it("takes no text after the end, and throws nothing", limit, async () => {
    await using pair = await socketPair(sockets);
    pair.client.close(1000, "");
    pair.client.sendText("late");
    await pair.remoteInbox.end;
    pair.remote.sendText("later");
    assert.deepEqual([...pair.remoteInbox.mixed, ...pair.clientInbox.mixed], []);
  });
}

function subprotocols(sockets: Sockets): void {
  const protocols = ["rivet", "rivet_encoding.json"];

  for (const protocol of protocols) {
    it(`agrees on the subprotocol ${protocol} of two, as the server selects`, limit, async () => {
      const remote = withResolvers<Socket>();
      let offered: string[] | undefined;
      await using host = await served(sockets, (request, { upgrade }) => {
        offered = request.headers.get("sec-websocket-protocol")?.split(/, ?/);
        return accept(upgrade, remote.resolve, { protocol });
      });
      const client = await host.connect({ protocols });
      assert.deepEqual(offered, protocols);
      assert.equal(client.protocol, protocol);
      assert.equal((await remote.promise).protocol, protocol);
    });
  }

  it("knows no subprotocol where none was offered", limit, async () => {
    await using pair = await socketPair(sockets);
    assert.deepEqual([pair.client.protocol, pair.remote.protocol], ["", ""]);
  });

  it("does not connect when the server selects none of those offered", limit, async () => {
    await using host = await served(sockets, (_request, { upgrade }) =>
      accept(upgrade, (socket) => socket.handle(new Inbox())),
    );
    await assert.rejects(host.connect({ protocols }), { code: "unavailable" });
  });
}

function opening(sockets: Sockets): void {
  it("shows the server the client's headers, path and address", limit, async () => {
    let seen: unknown;
    await using host = await served(sockets, (request, { upgrade, remoteAddress }) => {
      const { pathname, searchParams } = new URL(request.url);
      const header = sockets.capabilities.headers
        ? request.headers.get("X-Actr-Source-ID")
        : searchParams.get("x-actr-source-id");
      seen = { header, pathname, remoteAddress };
      return accept(upgrade, (socket) => socket.handle(new Inbox()));
    });
    await host.connect({ headers: { "X-Actr-Source-ID": "0a02" } });
    assert.deepEqual(seen, { header: "0a02", pathname: "/ws", remoteAddress: "127.0.0.1" });
  });

  for (const status of [401, 403, 503]) {
    it(
      `never opens when the server answers ${status}, and says so where it can`,
      limit,
      async () => {
        await using host = await served(sockets, async () => {
          await turn();
          return new Response("no", { status });
        });
        const shown = sockets.capabilities.status && status !== 503;
        await assert.rejects(host.connect(), (error) => {
          assert.ok(ActrError.is(error));
          assert.equal(error.code, shown ? "permission_denied" : "unavailable");
          if (sockets.capabilities.status) assert.equal(error.details?.["status"], status);
          return true;
        });
      },
    );
  }

  it("answers 500 when the application throws during an upgrade", limit, async () => {
    await using host = await served(sockets, () => {
      throw new Error("broken");
    });
    await assert.rejects(host.connect(), { code: "unavailable" });
  });

  it("does not connect under an aborted signal", limit, async () => {
    let asked = 0;
    await using host = await served(sockets, () => {
      asked++;
      return new Response(null, { status: 401 });
    });
    const signal = AbortSignal.abort(new Error("too late"));
    await assert.rejects(host.connect({ signal }), /too late/);
    assert.equal(asked, 0);
  });

  it(
    "ends a connect that is aborted while the server thinks, with the signal's reason",
    limit,
    async () => {
      const abort = new AbortController();
      let answer: (response: Response) => void = () => {};
      await using host = await served(sockets, () => {
        abort.abort(new Error("changed my mind"));
        return new Promise((resolve) => {
          answer = resolve;
        });
      });
      await assert.rejects(host.connect({ signal: abort.signal }), /changed my mind/);
      answer(new Response(null, { status: 503 }));
    },
  );

  it("reports an address that is none as unavailable", limit, async () => {
    const options = { maxMessageBytes: 100, signal: never };
    await assert.rejects(sockets.connect("no address", options), { code: "unavailable" });
  });

  it("reports a closed port as unavailable, without the query of the URL", limit, async () => {
    const host = await served(sockets, () => new Response());
    await host.server.close();
    const options = { maxMessageBytes: 100, signal: never };
    await assert.rejects(sockets.connect(`${host.url}?token=secret`, options), (error) => {
      assert.ok(ActrError.is(error));
      assert.equal(error.code, "unavailable");
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
}

function ending(sockets: Sockets): void {
  for (const starter of ["client", "remote"] as const) {
    it(`tells both ends code and reason when the ${starter} closes`, limit, async () => {
      await using pair = await socketPair(sockets);
      pair[starter].send(numbered(1));
      pair[starter].close(4001, "had enough");
      pair[starter].close(4002, "twice is harmless");
      const other = starter === "client" ? pair.remoteInbox : pair.clientInbox;
      const end = await other.end;
      assert.deepEqual({ ...end }, { code: 4001, reason: "had enough" });
      assert.equal(other.messages.length, 1, "what was sent before arrives");
      assert.equal((await pair.clientInbox.end).code, 4001);
      assert.equal((await pair.remoteInbox.end).code, 4001);
      pair[starter].send(numbered(2));
    });
  }

  it("cuts a reason that is too long for a close frame at a character", limit, async () => {
    await using pair = await socketPair(sockets);
    pair.remote.close(1000, "ü".repeat(100));
    assert.deepEqual({ ...(await pair.clientInbox.end) }, { code: 1000, reason: "ü".repeat(61) });
  });

  for (const starter of ["client", "remote"] as const) {
    it(`ends both ends at once when the ${starter} terminates`, limit, async (t) => {
      await using pair = await socketPair(sockets);
      pair[starter].terminate();
      await pair[starter === "client" ? "clientInbox" : "remoteInbox"].end;
      const other = starter === "client" ? pair.remoteInbox : pair.clientInbox;
      const { code } = await other.end;
      if (sockets.capabilities.drops) assert.equal(code, 1006);
      else t.diagnostic(`this runtime cannot drop a connection: the other end saw ${code}`);
    });
  }

  for (const sender of ["client", "remote"] as const) {
    it(`ends the socket with 1009 when the ${sender} sends too much`, limit, async () => {
      await using pair = await socketPair(sockets, 1_000);
      pair[sender].send(pattern(1_000));
      pair[sender].send(pattern(1_001));
      const receiver = sender === "client" ? pair.remoteInbox : pair.clientInbox;
      assert.equal((await receiver.end).code, 1009);
      assert.deepEqual(
        receiver.messages.map((message) => message.length),
        [1_000],
      );
      const { code } = await (sender === "client" ? pair.clientInbox : pair.remoteInbox).end;
      // 4009 where the runtime lets applications send no protocol codes.
      assert.ok(code === 1009 || code === 4009, `sender saw ${code}`);
    });
  }
}

function pressure(sockets: Sockets): void {
  for (const from of ["client", "remote"] as const) {
    it(`gets a pong for a ping of the ${from}, or says that it cannot ping`, limit, async (t) => {
      await using pair = await socketPair(sockets);
      const inbox = from === "client" ? pair.clientInbox : pair.remoteInbox;
      if (!pair[from].ping()) return t.skip("this runtime keeps connections alive by itself");
      await inbox.until(() => inbox.pongs === 1);
    });

    it(`pushes back on the ${from} while the other end is paused`, limit, async (t) => {
      await using pair = await socketPair(sockets);
      const [receiver, inbox] =
        from === "client" ? [pair.remote, pair.remoteInbox] : [pair.client, pair.clientInbox];
      assert.equal(receiver.pause(), sockets.capabilities.pauses);
      if (!sockets.capabilities.pauses) return t.skip("this runtime cannot stop reading");
      const chunk = new Uint8Array(65_536);
      const count = 512;
      for (let sent = 0; sent < count; sent++) {
        pair[from].send(chunk);
        if (sent % 16 === 0) await turn();
      }
      for (let turns = 0; turns < 50; turns++) await turn();
      assert.ok(
        pair[from].bufferedAmount > 4_000_000,
        `only ${pair[from].bufferedAmount} buffered`,
      );
      assert.ok(inbox.bytes < 16_000_000, `${inbox.bytes} bytes went through`);
      receiver.resume();
      await inbox.until(() => inbox.messages.length === count);
      assert.equal(inbox.bytes, count * chunk.length);
    });
  }

  it("reports a drained buffer", limit, async () => {
    await using pair = await socketPair(sockets);
    let drained: () => void = () => {};
    const drain = new Promise<void>((resolve) => {
      drained = resolve;
    });
    pair.client.handle({ message: () => {}, closed: () => {}, drained: () => drained() });
    for (let sent = 0; sent < 200; sent++) pair.client.send(new Uint8Array(65_536));
    assert.ok(pair.client.bufferedAmount > 1_000_000);
    await drain;
    assert.ok(pair.client.bufferedAmount < 1_000_000);
  });
}

function http(sockets: Sockets, reach: SocketsReach): void {
  it(
    "answers plain requests on the same port, with a streamed body and no upgrade",
    limit,
    async () => {
      await using host = await served(sockets, async (request, { upgrade }) => {
        assert.equal(upgrade, undefined);
        const asked = await request.text();
        return new Response(parts([asked, "-", "back"]), { status: 201, headers: { "x-a": "b" } });
      });
      const url = host.url.replace("ws:", "http:");
      const response = await reach.fetch(url, { method: "POST", body: "there" });
      assert.equal(response.status, 201);
      assert.equal(response.headers.get("x-a"), "b");
      assert.equal(await response.text(), "there-back");
    },
  );

  it("ends everything on close, frees its port, and closes twice", limit, async () => {
    const inbox = new Inbox();
    const fetchHandler: Parameters<typeof served>[1] = (_request, { upgrade }) =>
      upgrade === undefined ? new Response("ok") : accept(upgrade, (s) => s.handle(new Inbox()));
    const host = await served(sockets, fetchHandler);
    const client = await host.connect();
    client.handle(inbox);
    await (await reach.fetch(host.url.replace("ws:", "http:"))).text();
    await Promise.all([host.server.close(), host.server.close()]);
    await inbox.end;
    const { port, hostname } = host.server;
    const again = await sockets.serve?.({ port, hostname, fetch: fetchHandler });
    assert.equal(again?.port, port);
    await again?.close();
  });

  it("reports a taken port as a configuration error that names it", limit, async () => {
    await using host = await served(sockets, () => new Response());
    const { port, hostname } = host.server;
    const second = sockets.serve?.({ port, hostname, fetch: () => new Response() });
    await assert.rejects(second ?? Promise.resolve(), (error) => {
      assert.ok(ActrError.is(error) && error.code === "config");
      assert.match(error.message, new RegExp(String(port)));
      return true;
    });
  });
}

type Upgrade = Parameters<Parameters<typeof served>[1]>[1]["upgrade"];

function accept(
  upgrade: Upgrade,
  onSocket: (socket: Socket) => void,
  options: Partial<UpgradeOptions> = {},
): Response {
  if (upgrade === undefined) return new Response("upgrade needed", { status: 426 });
  return upgrade({ maxMessageBytes: 64 * 1024 * 1024, ...options }, onSocket);
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31) ^ (at >>> 8);
  return bytes;
}

function numbered(index: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset, 4).getUint32(0);
}

function received(inbox: Inbox, index: number): Uint8Array {
  const message = inbox.messages[index];
  assert.ok(message !== undefined, `no message ${index}`);
  return message;
}

/** A message as what can be compared: Node hands binary ones over as views of larger memory. */
function plain(message: string | Uint8Array): string | number[] {
  return typeof message === "string" ? message : [...message];
}

function parts(texts: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      for (const text of texts) {
        controller.enqueue(encoder.encode(text));
        await turn();
      }
      controller.close();
    },
  });
}

/** A turn of the event loop in which sockets move: real input and output needs real time. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
