import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, event } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import type { Socket, SocketClosed } from "../../../src/ports/sockets.ts";

const room = actor({
  state: () => ({ count: 0, gone: [] as string[] }),
  events: {
    changed: event<number>(),
    secret: event<number>({ canSubscribe: (_c, conn) => conn.params === "admin" }),
  },
  params: (value: unknown) => {
    if (value === "nobody") throw new ActrError("user.denied", "not allowed");
    return value;
  },
  connState: () => ({ calls: 0 }),
  actions: {
    add(c, by: number) {
      c.state.count += by;
      if (c.conn !== undefined) c.conn.state.calls += 1;
      c.broadcast("changed", c.state.count);
      c.broadcast("secret", 1);
      return c.state.count;
    },
    calls: (c) => c.conn?.state.calls,
    gone: (c) => c.state.gone,
    fail() {
      throw new ActrError("user.boom", "boom");
    },
    leave: (c) => c.conn?.disconnect("bye"),
    large: () => "x".repeat(2_000_000),
    megabyte: () => "x".repeat(1_000_000),
  },
  onConnect: (c, conn) => conn.send("changed", c.state.count),
  onDisconnect(c, conn) {
    c.state.gone.push(String(conn.params));
  },
});

const app = defineNode({ actors: { room } });

/** A client that speaks JSON, by hand. */
class Client {
  readonly frames: { readonly tag: string; readonly val: Record<string, unknown> }[] = [];
  readonly socket: Socket;
  end: SocketClosed | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.handle({
      message: () => assert.fail("bytes"),
      text: (text) => this.frames.push(JSON.parse(text).body),
      closed: (end) => {
        this.end = end;
      },
    });
  }

  static async open(t: TestNode, params: unknown, more: readonly string[] = []): Promise<Client> {
    const url = `ws://${t.host}/gateway/room/connect?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=a`;
    const given = `rivet_conn_params.${encodeURIComponent(JSON.stringify(params))}`;
    const client = new Client(
      await t.world.network.sockets().connect(url, {
        protocols: ["rivet", ...more, given],
        maxMessageBytes: 4_000_000,
        signal: new AbortController().signal,
      }),
    );
    await t.clock.settle();
    return client;
  }

  send(tag: string, val: Record<string, unknown>): void {
    this.socket.sendText(JSON.stringify({ body: { tag, val } }));
  }

  act(id: number, name: string, ...args: unknown[]): void {
    this.send("ActionRequest", { id: ["$BigInt", String(id)], name, args });
  }

  /** What came since the last time. */
  async taken(t: TestNode): Promise<readonly (readonly [string, unknown])[]> {
    await t.clock.settle();
    return this.frames
      .splice(0)
      .map(({ tag, val }) => [tag, val["output"] ?? val["args"] ?? val["code"]]);
  }
}

describe("connections of clients to actors", () => {
  it("begin with Init, answer actions by their ids, and bring the events that were subscribed to", async () => {
    await using t = await testNode(app);
    const one = await Client.open(t, "one");
    assert.deepEqual(await one.taken(t), [
      ["Init", undefined],
      ["Event", [0]],
    ]);
    const two = await Client.open(t, "two");
    await two.taken(t);
    two.send("SubscriptionRequest", { eventName: "changed", subscribe: true });
    await t.clock.settle();
    one.act(7, "add", 5);
    assert.deepEqual(await one.taken(t), [["ActionResponse", 5]]);
    assert.deepEqual(await two.taken(t), [["Event", [5]]]);
    two.send("SubscriptionRequest", { eventName: "changed", subscribe: false });
    one.act(8, "calls");
    one.act(9, "add", 1);
    assert.deepEqual(await one.taken(t), [
      ["ActionResponse", 1],
      ["ActionResponse", 6],
    ]);
    assert.deepEqual(await two.taken(t), []);
  });

  it("tell errors of actions by their ids, and of subscriptions without", async () => {
    await using t = await testNode(app);
    const client = await Client.open(t, "x");
    await client.taken(t);
    client.act(1, "fail");
    client.act(2, "nope");
    client.act(3, "large");
    client.send("SubscriptionRequest", { eventName: "secret", subscribe: true });
    await t.clock.settle();
    const ids = client.frames.map(({ val }) => val["actionId"]);
    assert.deepEqual(ids, [["$BigInt", "1"], ["$BigInt", "2"], ["$BigInt", "3"], null]);
    assert.deepEqual(
      (await client.taken(t)).map(([, code]) => code),
      ["boom", "action_not_found", "outgoing_too_long", "forbidden"],
    );
    assert.equal(client.end, undefined);
  });

  it("are refused with an error and a reason, on an open socket", async () => {
    await using t = await testNode(app);
    const denied = await Client.open(t, "nobody");
    assert.deepEqual(await denied.taken(t), [["Error", "denied"]]);
    assert.deepEqual(denied.end, { code: 1011, reason: "user.denied" });
    const odd = await Client.open(t, "x", ["rivet_encoding.odd"]);
    assert.deepEqual(odd.end, { code: 1003, reason: "actor.unsupported_websocket_encoding" });
  });

  it("end with their hook, whoever ends them", async () => {
    await using t = await testNode(app);
    const one = await Client.open(t, "one");
    const two = await Client.open(t, "two");
    one.act(1, "leave");
    await t.clock.settle();
    assert.deepEqual(one.end, { code: 1000, reason: "bye" });
    two.socket.close(1000, "Disposed");
    await t.clock.settle();
    assert.deepEqual(await t.actors.room.get("a").gone(), ["one", "two"]);
  });

  it("[HD-24] let their actor sleep, and stay open; what clients send wakes it, as does that they go", async () => {
    await using t = await testNode(app);
    const one = await Client.open(t, "one");
    const two = await Client.open(t, "two");
    two.send("SubscriptionRequest", { eventName: "changed", subscribe: true });
    one.act(1, "calls");
    one.act(2, "add", 2);
    await one.taken(t);
    await two.taken(t);
    await t.clock.advance(31_000);
    assert.deepEqual([t.node.actors.awake, one.end, two.end], [0, undefined, undefined]);
    one.act(3, "add", 5);
    one.act(4, "calls");
    assert.deepEqual(await one.taken(t), [
      ["ActionResponse", 7],
      ["ActionResponse", 2],
    ]);
    assert.deepEqual(await two.taken(t), [["Event", [7]]]);
    await t.clock.advance(31_000);
    two.socket.close(1000, "Disposed");
    await t.clock.settle();
    assert.equal(t.node.actors.awake, 1);
    assert.deepEqual(await t.actors.room.get("a").gone(), ["two"]);
  });

  it("[HD-27] end when the client is silent though it is asked: a dead one keeps nobody busy", async () => {
    await using t = await testNode(app);
    const dead = await Client.open(t, "dead");
    dead.socket.pause();
    const living = await Client.open(t, "living");
    await t.clock.advance(60_000);
    assert.equal(living.end, undefined);
    assert.deepEqual(await t.actors.room.get("a").gone(), ["dead"]);
  });

  it("end, with a reason, when the client does not read", async () => {
    await using t = await testNode(app);
    const slow = await Client.open(t, "slow");
    slow.socket.pause();
    for (let id = 0; id < 20; id++) slow.act(id, "megabyte");
    await t.clock.settle();
    slow.socket.resume();
    await t.clock.settle();
    assert.deepEqual(slow.end, { code: 1011, reason: "connection.slow_reader" });
    assert.deepEqual(await t.actors.room.get("a").gone(), ["slow"]);
  });

  it("end when the client sends what is no message, or too much", async () => {
    await using t = await testNode(app);
    const one = await Client.open(t, "one");
    one.socket.sendText("{");
    await t.clock.settle();
    assert.deepEqual(one.end, { code: 1011, reason: "actor.invalid_request" });
    const two = await Client.open(t, "two");
    two.act(1, "add", "x".repeat(70_000));
    await t.clock.settle();
    assert.deepEqual(two.end, { code: 1011, reason: "message.incoming_too_long" });
    // Its limit counts bytes: these are three each.
    const three = await Client.open(t, "three");
    three.act(1, "add", "€".repeat(22_000));
    await t.clock.settle();
    assert.deepEqual(three.end, { code: 1011, reason: "message.incoming_too_long" });
  });
});
