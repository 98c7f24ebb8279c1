import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, type RawSocket } from "../../../src/actor.ts";
import { type ActorsOf, actorsOf } from "../../../src/actor_client.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { HttpActors } from "../../../src/outbound/http_actors.ts";

const limit = { timeout: 60_000 };

const desk = actor({
  state: () => ({ lines: [] as string[], ends: [] as string[] }),
  options: { maxIncomingBytes: 1000, maxOutgoingBytes: 1000 },
  actions: {
    lines: (c) => c.state.lines,
    ends: (c) => c.state.ends,
    part: async (c) => {
      for (const conn of c.conns.values()) if (conn !== c.conn) await conn.disconnect("bye");
    },
  },
  onWebSocket(c, socket, request) {
    const { pathname, search } = new URL(request.url);
    if (pathname.endsWith("/deny")) throw new ActrError("user.denied", "not here");
    socket.send(`${pathname}${search}`);
    socket.handle({
      async message(data) {
        if (typeof data !== "string") return socket.send(data.map((byte) => byte + 1));
        if (data === "large") return socket.send("x".repeat(1001));
        if (data === "close") return socket.close(4001, "enough");
        // Turns are one after the other, however long one takes.
        const before = c.state.lines.length;
        await Promise.resolve();
        c.state.lines[before] = data;
        socket.send(`${before} ${data}`);
      },
      closed({ code, reason }) {
        c.state.ends.push(`${code} ${reason}`);
      },
    });
  },
});
const plain = actor({ actions: {} });
const app = defineNode({ actors: { desk, plain } });

/** Both ways to the actors of a node: from the same process, and over HTTP. */
function ways(t: TestNode<typeof app>): ActorsOf<typeof app>[] {
  const { clock, network } = t.world;
  const fetch = network.fetch.bind(network) as typeof globalThis.fetch;
  const parts = { fetch, clock, sockets: network.sockets(), random: t.world.random() };
  const over = (base: string) =>
    actorsOf<typeof app>(
      new HttpActors({ address: `http://${t.host}${base}`, token: "s3cret", ...parts }),
    );
  return [t.actors, over(""), over("/actors")];
}

/** What came on a socket, and how it ended. */
function heard(socket: RawSocket): (string | readonly number[])[] {
  const all: (string | readonly number[])[] = [];
  socket.handle({
    message: (data) => void all.push(typeof data === "string" ? data : [...data]),
    closed: ({ code, reason }) => void all.push(`${code} ${reason}`),
  });
  return all;
}

describe("raw WebSockets to actors", () => {
  it(
    "carry text and bytes both ways, in order, each message a turn; what is told is on disk",
    limit,
    async () => {
      for (const way of [0, 1, 2]) {
        await using t = await testNode(app, { actorToken: "s3cret" });
        const handle = ways(t)[way]?.desk.get("a");
        const socket = await handle?.webSocket("chat/1?x=2");
        assert.ok(handle && socket);
        const all = heard(socket);
        socket.send("one");
        socket.send("two");
        socket.send(Uint8Array.of(1, 2));
        await t.clock.settle();
        assert.deepEqual(all, ["/websocket/chat/1?x=2", "0 one", "1 two", [2, 3]]);
        socket.close(4000, "done");
        await t.clock.settle();
        assert.deepEqual(all.at(-1), "4000 done");
        assert.deepEqual(await handle.ends(), ["4000 done"]);
        await t.restart({ crash: true });
        assert.deepEqual(await t.actors.desk.get("a").lines(), ["one", "two"]);
      }
    },
  );

  it(
    "end with a reason: refused, without handler, too long, by the actor, by its connection",
    limit,
    async () => {
      await using t = await testNode(app, { actorToken: "s3cret" });
      for (const actors of ways(t)) {
        const end = async (
          path: string,
          message?: string,
          from = actors.desk,
        ): Promise<unknown> => {
          const socket = await from.get("a").webSocket(path);
          const all = heard(socket);
          if (message !== undefined) socket.send(message);
          await t.clock.settle();
          return all.at(-1);
        };
        assert.equal(await end("deny"), "1011 user.denied");
        assert.equal(await end("", undefined, actors.plain as never), "1011 actor.not_configured");
        assert.equal(await end("", "x".repeat(1001)), "1011 message.incoming_too_long");
        assert.equal(await end("", "large"), "1011 message.outgoing_too_long");
        assert.equal(await end("", "close"), "4001 enough");
        const socket = await actors.desk.get("a").webSocket();
        const all = heard(socket);
        await t.clock.settle();
        await actors.desk.get("a").part();
        await t.clock.settle();
        assert.equal(all.at(-1), "1000 bye");
      }
    },
  );

  it("[H-41] keep the actor awake until they end, and it hears of the end", limit, async () => {
    await using t = await testNode(app, { actorToken: "s3cret" });
    for (const actors of ways(t)) {
      const socket = await actors.desk.get("b").webSocket();
      const all = heard(socket);
      await t.clock.advance(90_000);
      assert.equal(t.node.actors.awake, 1);
      socket.close();
      await t.clock.advance(31_000);
      assert.equal(t.node.actors.awake, 0);
      assert.deepEqual(all, ["/websocket/", "1000 "]);
    }
  });

  it("are told that the actor is destroyed", limit, async () => {
    await using t = await testNode(app, { actorToken: "s3cret" });
    for (const actors of ways(t)) {
      const handle = actors.desk.get("c");
      const all = heard(await handle.webSocket());
      const id = await handle.resolve();
      await t.clock.through(t.node.actors.stop(id, "destroy"));
      await t.clock.settle();
      assert.equal(all.at(-1), "1011 actor.destroying");
    }
  });

  it("are addressed by what they offer too", limit, async () => {
    await using t = await testNode(app, { actorToken: "s3cret" });
    const id = await t.actors.desk.get("a").resolve();
    const said: string[] = [];
    const protocols = ["rivet", "rivet_target.actor", `rivet_actor.${id}`, "rivet_token.s3cret"];
    const { signal } = new AbortController();
    for (const base of ["", "/actors"]) {
      const url = `ws://${t.host}${base}/websocket/p?q=1`;
      const options = { protocols, maxMessageBytes: 1000, signal };
      const socket = await t.world.network.sockets().connect(url, options);
      socket.handle({ message() {}, text: (text) => said.push(text), closed() {} });
      await t.clock.settle();
      socket.close(1000, "");
    }
    assert.deepEqual(said, ["/websocket/p?q=1", "/websocket/p?q=1"]);
  });
});
