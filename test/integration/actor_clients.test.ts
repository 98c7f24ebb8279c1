import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runningModule } from "../../adapters/running.ts";
import { actor, event, queue } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { withResolvers } from "../../src/with_resolvers.ts";

const room = actor({
  state: () => ({ count: 0 }),
  params: (value: unknown) => value as { user: string } | undefined,
  events: { changed: event<{ count: number }>() },
  queues: { jobs: queue<number, number>() },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      c.broadcast("changed", { count: c.state.count });
      return c.state.count;
    },
    user: (c) => c.conn?.params?.user,
    leave: (c) => c.conn?.disconnect("bye"),
  },
  async run(c) {
    for await (const message of c.queue.iterate({ completable: true })) {
      await message.complete(2 * message.body);
    }
  },
  async onRequest(c, request) {
    c.state.count += 1;
    const body = new Uint8Array(await request.arrayBuffer());
    return new Response(
      body.map((byte) => byte + 1),
      { headers: { "x-count": `${c.state.count}` } },
    );
  },
  onWebSocket(_c, socket, request) {
    if (request.url.endsWith("deny")) throw new ActrError("user.denied", "not here");
    socket.handle({ message: (data) => socket.send(data) });
  },
});
const app = defineNode({ actors: { room } });
const limit = { timeout: 60_000 };

describe("clients of actors, over real sockets", () => {
  it("connect, send to queues, ask onRequest and open raw WebSockets", limit, async () => {
    const running = await runningModule();
    const log = running.silentLogger();
    const actorToken = "s/ecr=t";
    const settings = { port: 0, hostname: "127.0.0.1", log, actorToken };
    await using node = await running.serve(app, settings);
    await using peer = await running.connect<typeof app>(node.url, { actorToken });
    const handle = peer.actors.room.get("a");

    const conn = handle.connect({ user: "ü (1)" });
    const heard = withResolvers<number>();
    conn.on("changed", ({ count }) => heard.resolve(count));
    assert.equal(await conn.user(), "ü (1)");
    assert.equal(await handle.add(1), 1);
    assert.equal(await heard.promise, 1);

    assert.deepEqual(await handle.sendAndWait("jobs", 21), { status: "completed", response: 42 });

    const answer = await handle.fetch("x", { method: "POST", body: Uint8Array.of(1, 2) });
    assert.equal(answer.headers.get("x-count"), "2");
    assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [2, 3]);

    const socket = await handle.webSocket("x");
    const echoed: unknown[] = [];
    const ended = withResolvers<unknown>();
    socket.handle({
      message(data) {
        echoed.push(typeof data === "string" ? data : [...data]);
        if (echoed.length === 2) socket.close(1000, "done");
      },
      closed: ended.resolve,
    });
    socket.send("text");
    socket.send(Uint8Array.of(7));
    await ended.promise;
    assert.deepEqual(echoed, ["text", [7]]);
    const denied = withResolvers<unknown>();
    (await handle.webSocket("deny")).handle({ message() {}, closed: denied.resolve });
    const { code, reason } = (await denied.promise) as { code: number; reason: string };
    assert.deepEqual([code, reason], [1011, "user.denied"]);

    await conn.leave().catch(() => {});
    assert.equal(await conn.ended, undefined);
  });
});
