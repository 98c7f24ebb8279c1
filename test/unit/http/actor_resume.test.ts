import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, event } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import type { Socket, SocketClosed } from "../../../src/ports/sockets.ts";

const room = actor({
  state: () => ({ count: 0, gone: 0 }),
  events: { changed: event<unknown>() },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    say: (c, what: unknown) => c.broadcast("changed", what),
    large: (c) => c.broadcast("changed", "x".repeat(500_000)),
    gone: (c) => c.state.gone,
    connected: (c) => [...c.conns.keys()].sort(),
  },
  onDisconnect(c) {
    c.state.gone += 1;
  },
});

const app = defineNode({ actors: { room } });

/** One socket of a client that speaks JSON, by hand. */
class Line {
  readonly socket: Socket;
  readonly heard: unknown[] = [];
  end: SocketClosed | undefined;
  connectionId = "";
  secret = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.handle({
      message() {},
      text: (text) => this.#take(JSON.parse(text).body),
      closed: (end) => {
        this.end = end;
      },
    });
  }

  static async open(t: TestNode, offer = "roost_resume", encoding = "json"): Promise<Line> {
    const url = `ws://${t.host}/gateway/room/connect?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=a`;
    const line = new Line(
      await t.world.network.sockets().connect(url, {
        protocols: ["rivet", `rivet_encoding.${encoding}`, offer],
        maxMessageBytes: 4_000_000,
        signal: new AbortController().signal,
      }),
    );
    await t.clock.settle();
    return line;
  }

  /** Another socket, for a client that has received so many messages. */
  again(t: TestNode, received: number, secret = this.secret, encoding?: string): Promise<Line> {
    return Line.open(t, `roost_resume.${this.connectionId}.${secret}.${received}`, encoding);
  }

  act(id: number, name: string, ...args: unknown[]): void {
    const val = { id: ["$BigInt", String(id)], name, args };
    this.socket.sendText(JSON.stringify({ body: { tag: "ActionRequest", val } }));
  }

  subscribe(): void {
    const val = { eventName: "changed", subscribe: true };
    this.socket.sendText(JSON.stringify({ body: { tag: "SubscriptionRequest", val } }));
  }

  async taken(t: TestNode): Promise<unknown[]> {
    await t.clock.settle();
    return this.heard.splice(0);
  }

  #take({ tag, val }: { tag: string; val: Record<string, unknown> }): void {
    if (tag === "Init") this.connectionId = String(val["connectionId"]);
    if (val["name"] === "$resume") this.secret = String((val["args"] as string[])[0]);
    this.heard.push([val["name"] ?? tag, val["args"] ?? val["output"] ?? val["code"]]);
  }
}

/** A client that subscribed, has had two answers, and lost its socket. */
async function lost(t: TestNode): Promise<Line> {
  const line = await Line.open(t);
  line.subscribe();
  line.act(0, "add", 1);
  assert.equal((await line.taken(t)).length, 4);
  line.socket.terminate();
  await t.clock.settle();
  return line;
}

describe("a client that lost its socket", () => {
  it("goes on with another: it gets what it missed, once, and learns how many of its messages came", async () => {
    await using t = await testNode(app);
    const line = await lost(t);
    await t.actors.room.get("a").add(5);
    await t.actors.room.get("a").say("é");
    const next = await line.again(t, 1);
    assert.deepEqual(await next.taken(t), [
      ["$resumed", [2]],
      ["ActionResponse", 1],
      ["changed", [6]],
      ["changed", ["é"]],
    ]);
    next.act(1, "add", 1);
    assert.deepEqual(await next.taken(t), [
      ["changed", [7]],
      ["ActionResponse", 7],
    ]);
    assert.equal(await t.actors.room.get("a").gone(), 0);
  });

  it("[H-69] is connected still for an actor that wakes meanwhile, as one is whose socket is there", async () => {
    await using t = await testNode(app);
    const [line, other] = [await Line.open(t), await Line.open(t)];
    await t.clock.advance(25_000);
    line.socket.terminate();
    await t.clock.advance(10_000);
    assert.equal(t.node.actors.awake, 0);
    assert.deepEqual(
      await t.actors.room.get("a").connected(),
      [line.connectionId, other.connectionId].sort(),
    );
  });

  it("goes on though its actor slept meanwhile", async () => {
    await using t = await testNode(app, {});
    const line = await Line.open(t);
    line.subscribe();
    await t.clock.advance(25_000);
    line.socket.terminate();
    await t.clock.advance(20_000);
    assert.equal(t.node.actors.awake, 0);
    const next = await line.again(t, 0);
    next.act(0, "add", 1);
    assert.deepEqual(await next.taken(t), [
      ["$resumed", [1]],
      ["changed", [1]],
      ["ActionResponse", 1],
    ]);
  });

  it("takes its socket with it when it comes before the loss is noticed", async () => {
    await using t = await testNode(app);
    const line = await Line.open(t);
    line.act(0, "add", 1);
    await line.taken(t);
    const next = await line.again(t, 1);
    assert.deepEqual(await next.taken(t), [["$resumed", [1]]]);
    assert.equal(line.end?.code, 1006);
    assert.equal(await t.actors.room.get("a").gone(), 0);
  });

  it("is gone after a while, and connects anew; at once when it says that it goes", async () => {
    await using t = await testNode(app);
    const line = await lost(t);
    await t.clock.advance(29_999);
    assert.equal(await t.actors.room.get("a").gone(), 0);
    await t.clock.advance(1);
    assert.equal(await t.actors.room.get("a").gone(), 1);
    const next = await line.again(t, 2);
    assert.equal((await next.taken(t)).length, 2);
    assert.notEqual(next.connectionId, line.connectionId);
    next.socket.close(1001, "");
    await t.clock.settle();
    assert.equal(await t.actors.room.get("a").gone(), 2);
  });

  for (const [what, again] of [
    ["a wrong secret", (t: TestNode, line: Line) => line.again(t, 2, "0".repeat(64))],
    ["a count of more than was sent", (t: TestNode, line: Line) => line.again(t, 3)],
    ["another encoding", (t: TestNode, line: Line) => line.again(t, 2, line.secret, "cbor")],
  ] as const) {
    it(`is another client with ${what}`, async () => {
      await using t = await testNode(app);
      const line = await lost(t);
      const next = await again(t, line);
      assert.ok((await next.taken(t)).every((each) => (each as string[])[0] !== "$resumed"));
      assert.equal(next.end, undefined);
      assert.equal(t.node.actors.clients, 2);
    });
  }

  it("[H-68] is told that it asks for nothing when its offer is none", async () => {
    await using t = await testNode(app);
    const line = await lost(t);
    for (const secret of ["00", "x".repeat(64)]) {
      const next = await line.again(t, 0, secret);
      assert.deepEqual(next.end, { code: 1011, reason: "actor.invalid_request" });
    }
  });

  it("has to say what it received: of more than a megabyte that it did not the oldest goes, and it with it", async () => {
    await using t = await testNode(app);
    await lost(t);
    await t.actors.room.get("a").large();
    assert.equal(t.node.actors.clients, 1);
    await t.actors.room.get("a").large();
    await t.actors.room.get("a").large();
    await t.clock.settle();
    assert.equal(t.node.actors.clients, 0);
    const other = await Line.open(t);
    other.subscribe();
    for (let received = 1; received <= 4; received++) {
      other.act(0, "large");
      await t.clock.settle();
      other.act(0, "$ack", 2 * received - 1);
    }
    await t.clock.settle();
    other.socket.terminate();
    const next = await other.again(t, 7);
    assert.deepEqual(await next.taken(t), [
      ["$resumed", [5]],
      ["ActionResponse", ["$Undefined", 0]],
    ]);
  });
});

describe("a client that cannot resume", () => {
  it("is gone when its socket is, and hears nothing that it does not know", async () => {
    await using t = await testNode(app);
    const line = await Line.open(t, "rivet_skip_ready_wait");
    assert.deepEqual(await line.taken(t), [["Init", undefined]]);
    line.socket.terminate();
    await t.clock.settle();
    assert.equal(await t.actors.room.get("a").gone(), 1);
  });
});
