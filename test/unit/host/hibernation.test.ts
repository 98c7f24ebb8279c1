import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor, event } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { readConnection } from "../../../src/host/connections/connection_row.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { Listener } from "./connections_support.ts";
import { HeldStore } from "./held_store.ts";
import { Rig } from "./support.ts";

/** A room that writes down what its hooks and actions did. */
class Scene {
  readonly store = new HeldStore();
  readonly did: string[] = [];
  readonly rig: Rig;
  /** What `work` waits for. */
  gate = withResolvers<void>();

  constructor(store = new HeldStore(), seed = 1) {
    this.store = store;
    const { did } = this;
    const room = actor({
      state: () => ({ count: 0 }),
      params: (value: unknown) => value as string,
      connState: (params: string) => ({ name: params, calls: 0, seen: [] as string[] }),
      events: { changed: event<number>() },
      onWake: () => void did.push("wake"),
      onSleep: () => void did.push("sleep"),
      onConnect: (_, conn) => void did.push(`connect ${conn.params}`),
      onDisconnect: (_, conn) => void did.push(`disconnect ${conn.params}`),
      actions: {
        id: (c) => c.actorId,
        add(c, by: number) {
          c.state.count += by;
          c.broadcast("changed", c.state.count);
          return c.state.count;
        },
        call(c, what: string) {
          did.push(what);
          if (c.conn === undefined) return undefined;
          c.conn.state.calls += 1;
          c.conn.state.seen.push(what);
          return c.conn.state.calls;
        },
        mine: (c) => c.conn && [c.conn.params, c.conn.state.calls, [...c.conn.state.seen]],
        connected: (c) => [...c.conns.values()].map(({ params, state }) => [params, state.calls]),
        sleep: (c) => c.sleep(),
        work: async (c) => {
          await this.gate.promise;
          c.state.count += 1;
        },
      },
      options: { sleepGraceMs: 1000 },
    });
    this.rig = new Rig({ room }, { store, seed });
  }

  act(action: string, ...args: unknown[]): Promise<unknown> {
    return this.rig.act("room", "a", action, ...args);
  }

  connect(params: string): ReturnType<typeof Listener.connect> {
    return Listener.connect(this.rig, "room", "a", params);
  }

  async sleeps(): Promise<void> {
    await this.rig.clock.advance(31_000);
    assert.equal(this.rig.host.awake, 0);
  }

  /** Rows of connections, by their ids. */
  async rows(id: string): Promise<Map<string, { state: unknown; events: string[] }>> {
    const rows = await this.store.records(`actor:${id}`, "c:", 100);
    const ours = rows.filter(({ key }) => key.startsWith("c:"));
    return new Map(
      ours.map(readConnection).map(({ id: conn, ...row }) => [conn, { ...row } as never]),
    );
  }
}

describe("a connection whose actor sleeps", () => {
  it("[H-11][H-88] is there again with its params, state and subscriptions, without a hook", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    client.subscribe("changed");
    client.act("call", "x");
    await scene.sleeps();
    scene.did.length = 0;
    client.taken();
    assert.deepEqual(await scene.act("connected"), [["one", 1]]);
    await scene.act("add", 3);
    client.act("mine");
    await scene.rig.clock.settle();
    assert.deepEqual(client.taken(), [
      ["changed", 3],
      [1, ["one", 1, ["x"]]],
    ]);
    assert.deepEqual(scene.did, ["wake"]);
    assert.equal(client.end, undefined);
    await scene.rig.close();
  });

  it("[H-87] brings what its client sends meanwhile once and in order, and what came before never again", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    client.act("call", "1");
    await scene.rig.clock.settle();
    client.act("sleep");
    client.act("call", "3");
    client.act("call", "4");
    await scene.rig.clock.settle();
    assert.deepEqual(scene.did, ["wake", "connect one", "1", "sleep", "wake", "3", "4"]);
    assert.equal(client.client.waiting, 0);
    assert.deepEqual(client.taken(), [
      [0, 1],
      [1, undefined],
      [2, 2],
      [3, 3],
    ]);
    await scene.rig.close();
  });

  it("waits with what its client sends while the actor stops, and with an answer for what it sent before", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    client.act("work");
    await scene.rig.clock.settle();
    const stopped = scene.rig.host.stop((await scene.rig.instance("room", "a")).id, "sleep");
    await scene.rig.clock.settle();
    client.act("call", "later");
    await scene.rig.clock.settle();
    assert.equal(client.client.waiting, 1);
    scene.gate.resolve();
    await stopped;
    await scene.rig.clock.settle();
    assert.deepEqual(client.taken(), [
      [0, undefined],
      [1, 1],
    ]);
    assert.deepEqual(scene.did.slice(2), ["sleep", "wake", "later"]);
    await scene.rig.close();
  });

  it("ends when more waits for its actor than is allowed", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    client.act("work");
    await scene.rig.clock.settle();
    void scene.rig.host.stop((await scene.rig.instance("room", "a")).id, "sleep");
    await scene.rig.clock.settle();
    for (let i = 0; i <= 1024; i++) client.act("call", "x");
    assert.equal(client.end, "actor.overloaded");
    scene.gate.resolve();
    await scene.rig.close();
  });

  it("tells the actor that its client has gone, which wakes for that", async () => {
    const scene = new Scene();
    const [one, two] = [await scene.connect("one"), await scene.connect("two")];
    await scene.sleeps();
    scene.did.length = 0;
    two.close("gone");
    await scene.rig.clock.settle();
    assert.deepEqual(scene.did, ["wake", "disconnect two"]);
    assert.deepEqual(await scene.act("connected"), [["one", 0]]);
    assert.equal(one.end, undefined);
    assert.equal(scene.rig.host.clients, 1);
    await scene.rig.close();
  });

  it("ends when the actor cannot wake, and its client is told to come again", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const id = (await scene.act("id")) as string;
    await scene.sleeps();
    await scene.store.commit([
      { kind: "record.put", space: `actor:${id}`, key: "s", value: new Uint8Array([0xff]) },
    ]);
    client.act("call", "x");
    await scene.rig.clock.settle();
    assert.equal(client.end, "actor.restarting");
    assert.equal(scene.rig.host.clients, 0);
    await scene.rig.close();
  });

  it("[H-53] is the only one that stays: one that lasts as long as its request is cut off", async () => {
    const scene = new Scene();
    const client = await scene.connect("stays");
    const id = (await scene.act("id")) as string;
    const { connections } = await scene.rig.instance("room", "a");
    await connections.visit("goes");
    client.act("call", "x");
    await scene.act("add", 7);
    await scene.rig.host.stop(id, "sleep");
    assert.deepEqual(scene.did.slice(-2), ["disconnect goes", "sleep"]);
    const rows = [...(await scene.rows(id)).values()];
    assert.deepEqual(rows, [
      { params: "stays", state: { name: "stays", calls: 1, seen: ["x"] }, events: [] },
    ]);
    const state = await scene.store.record(`actor:${id}`, "s");
    assert.deepEqual(state && decodeCbor(state), { count: 7 });
    assert.equal(client.end, undefined);
    await scene.rig.close();
  });

  it("[H-54] ends with the actor, and leaves no row", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const id = (await scene.act("id")) as string;
    const { connections } = await scene.rig.instance("room", "a");
    await connections.visit("two");
    await scene.rig.host.stop(id, "destroy");
    assert.deepEqual(scene.did.slice(-2), ["disconnect one", "disconnect two"]);
    assert.equal(client.end, "actor.destroying");
    assert.equal((await scene.rows(id)).size, 0);
    await scene.rig.close();
  });
});

describe("a connection in the store", () => {
  it("[H-25] is written when its state changes, however deep; one of a request never is", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const id = (await scene.act("id")) as string;
    const instance = await scene.rig.instance("room", "a");
    const visit = await instance.connections.visit("two");
    await scene.rig.clock.settle();
    (visit.state as { calls: number }).calls = 5;
    assert.equal(instance.saving.isDue, false);
    (client.conn.state as { seen: string[] }).seen.push("deep");
    assert.equal(instance.saving.isDue, true);
    await scene.rig.clock.advance(1000);
    const [row] = (await scene.rows(id)).values();
    assert.deepEqual(row?.state, { name: "one", calls: 0, seen: ["deep"] });
    await scene.rig.close();
  });

  it("[H-21] is saved in one commit with its actor's state, after which nothing is left to save", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const id = (await scene.act("id")) as string;
    const { saving, context } = await scene.rig.instance("room", "a");
    const commits = scene.store.commits.length;
    (client.conn.state as { calls: number }).calls = 3;
    (context.state as { count: number }).count = 4;
    assert.equal(saving.isDue, true);
    await context.saveState();
    assert.deepEqual([saving.isDue, scene.store.commits.length], [false, commits + 1]);
    const [row] = (await scene.rows(id)).values();
    assert.deepEqual(row?.state, { name: "one", calls: 3, seen: [] });
    const state = await scene.store.record(`actor:${id}`, "s");
    assert.deepEqual(state && decodeCbor(state), { count: 4 });
    await scene.rig.clock.advance(10_000);
    assert.equal(scene.store.commits.length, commits + 1);
    await scene.rig.close();
  });

  it("[H-24] is behind memory until the next save, which writes it once", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const id = (await scene.act("id")) as string;
    const events = async () => [...(await scene.rows(id)).values()][0]?.events;
    const commits = scene.store.commits.length;
    client.subscribe("changed");
    client.subscribe("other");
    client.subscribe("other", false);
    assert.deepEqual([await events(), scene.store.commits.length], [[], commits]);
    await scene.rig.clock.advance(1000);
    assert.deepEqual([await events(), scene.store.commits.length], [["changed"], commits + 1]);
    await scene.rig.close();
  });

  it("[H-64][H-22] is deleted by the next save, in one commit with what else changed", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    const { saving } = await scene.rig.instance("room", "a");
    saving.state = { count: 9 };
    const commits = scene.store.commits.length;
    client.close("gone");
    await scene.rig.clock.settle();
    const kinds = scene.store.commits.slice(commits).map((each) => each.map(({ kind }) => kind));
    assert.deepEqual(kinds, [["record.delete", "record.put"]]);
    await scene.rig.close();
  });

  it("[H-12] of a client that is no more goes with the first save of the next start; of one that is there it stays", async () => {
    const scene = new Scene();
    const living = await scene.connect("living");
    const id = (await scene.act("id")) as string;
    await scene.sleeps();
    const space = `actor:${id}`;
    const value = await scene.store.record(space, `c:${living.conn.id}`);
    assert.ok(value);
    await scene.store.commit([{ kind: "record.put", space, key: "c:dead", value }]);
    scene.did.length = 0;
    const commits = scene.store.commits.length;
    assert.deepEqual(await scene.act("connected"), [["living", 0]]);
    await scene.rig.clock.settle();
    assert.deepEqual([...(await scene.rows(id)).keys()], [living.conn.id]);
    assert.equal(scene.store.commits.length, commits + 1);
    assert.deepEqual(scene.did, ["wake"]);
    await scene.rig.close();
  });

  it("[H-13] is of nobody after its process has ended: all of them go", async () => {
    const scene = new Scene();
    await scene.connect("one");
    await scene.connect("two");
    const id = (await scene.act("id")) as string;
    scene.rig.host.abandon(new ActrError("stopping", "it is killed"));
    const next = new Scene(scene.store, 2);
    assert.deepEqual(await next.act("connected"), []);
    await next.rig.clock.settle();
    assert.deepEqual([(await next.rows(id)).size, next.did], [0, ["wake"]]);
    await next.rig.close();
  });
});
