import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ActorContext, actor, type Connection, event } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { Client } from "../../../src/host/connections/client.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { Listener } from "./connections_support.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

/** A room whose hooks do as the test says, over a store whose commits can be held back. */
class Scene {
  readonly store = new HeldStore();
  readonly left: unknown[] = [];
  readonly rig: Rig;
  onBeforeConnect: (c: ActorContext, params: unknown) => void | Promise<void> = () => {};
  onConnect: (c: ActorContext, conn: Connection) => void | Promise<void> = () => {};
  canSubscribe: () => boolean | Promise<boolean> = () => true;

  constructor(maxConnections = 2) {
    const room = actor({
      state: () => ({ count: 0 }),
      params: (value: unknown) => value,
      connState: () => ({ calls: 0 }),
      events: {
        changed: event<unknown>(),
        asked: event<unknown>({ canSubscribe: () => this.canSubscribe() }),
      },
      onBeforeConnect: (c, params) => this.onBeforeConnect(c as unknown as ActorContext, params),
      onConnect: (c, conn) => this.onConnect(c as unknown as ActorContext, conn as Connection),
      onDisconnect: (_, conn) => void this.left.push(conn.params),
      actions: {
        id: (c) => c.actorId,
        add(c, by: number) {
          c.state.count += by;
          c.broadcast("changed", c.state.count);
          return c.state.count;
        },
        calls(c) {
          if (c.conn !== undefined) c.conn.state.calls += 1;
          return c.conn?.state.calls;
        },
        connected: (c) => [...c.conns.values()].map(({ params }) => params),
        say: (c, payload: unknown) => c.broadcast("changed", payload),
        loop(c) {
          const circle: Record<string, unknown> = {};
          (c.state as Record<string, unknown>)["circle"] = circle;
          circle["self"] = circle;
        },
      },
      options: { maxConnections, maxOutgoingBytes: 1000 },
    });
    this.rig = new Rig({ room }, { store: this.store });
  }

  act(action: string, ...args: unknown[]): Promise<unknown> {
    return this.rig.act("room", "a", action, ...args);
  }

  connect(params?: unknown): ReturnType<typeof Listener.connect> {
    return Listener.connect(this.rig, "room", "a", params);
  }
}

describe("a client that connects", () => {
  it("[H-65] is seen by nobody before it is let in", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    scene.onBeforeConnect = () => promise;
    const connecting = scene.connect("one");
    await scene.rig.clock.settle();
    assert.deepEqual(await scene.act("connected"), []);
    resolve();
    await connecting;
    assert.deepEqual(await scene.act("connected"), ["one"]);
    await scene.rig.close();
  });

  it("[H-65][H-70] is never seen when it is refused, and its onDisconnect never runs", async () => {
    const scene = new Scene();
    scene.onBeforeConnect = () => {
      throw new ActrError("user.no", "no");
    };
    assert.equal((await failureOf(scene.connect("one"))).code, "user.no");
    assert.deepEqual([await scene.act("connected"), scene.left], [[], []]);
    await scene.rig.close();
  });

  it("is gone again when onConnect refuses it", async () => {
    const scene = new Scene();
    scene.onConnect = () => {
      throw new ActrError("user.no", "no");
    };
    assert.equal((await failureOf(scene.connect("one"))).code, "user.no");
    assert.deepEqual([await scene.act("connected"), scene.left], [[], []]);
    assert.equal(scene.rig.host.clients, 0);
    await scene.rig.close();
  });

  for (const hook of ["onBeforeConnect", "onConnect"] as const) {
    it(`is not let in when ${hook} takes too long, however it ends; the actor may sleep`, async () => {
      const scene = new Scene();
      const { promise, resolve } = withResolvers<void>();
      scene[hook] = () => promise;
      const connecting = failureOf(scene.connect("one"));
      await scene.rig.clock.advance(10_000);
      assert.equal((await connecting).code, "actor.callback_timed_out");
      resolve();
      await scene.rig.clock.settle();
      assert.deepEqual(await scene.act("connected"), []);
      await scene.rig.clock.advance(31_000);
      assert.equal(scene.rig.host.awake, 0);
      await scene.rig.close();
    });
  }

  it("is told to come again when the actor stops meanwhile", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    scene.onBeforeConnect = () => promise;
    const id = (await scene.act("id")) as string;
    const connecting = failureOf(scene.connect("one"));
    await scene.rig.clock.settle();
    await scene.rig.host.stop(id, "sleep");
    assert.equal((await connecting).code, "actor.stopping");
    resolve();
    assert.deepEqual(await scene.act("connected"), []);
    await scene.rig.close();
  });

  it("[HD-5] is refused when too many are, those counted that are being let in", async () => {
    const scene = new Scene();
    await scene.connect("one");
    scene.onBeforeConnect = () => new Promise(() => {});
    void failureOf(scene.connect("two"));
    await scene.rig.clock.settle();
    const { code, details } = await failureOf(scene.connect("three"));
    assert.deepEqual(
      [code, details],
      ["actor.overloaded", { channel: "connections", capacity: 2 }],
    );
    await scene.rig.close();
  });

  it("has 10 seconds for all its hooks; what they come to later counts for nothing", async () => {
    for (const [ms, code] of [
      [9999, undefined],
      [10_000, "actor.callback_timed_out"],
    ] as const) {
      const scene = new Scene();
      const { promise, resolve } = withResolvers<void>();
      scene.onConnect = () => promise;
      await scene.act("id");
      let opened = 0;
      const listener = new Listener();
      listener.opened = () => {
        opened += 1;
      };
      const { connections } = await scene.rig.instance("room", "a");
      const client = new Client(scene.rig.host, listener);
      const connecting = Promise.resolve(connections.connect({ params: undefined, client }));
      const outcome = connecting.then(
        () => undefined,
        (error: ActrError) => error.code,
      );
      await scene.rig.clock.advance(ms);
      resolve();
      assert.equal(await outcome, code);
      await scene.rig.clock.settle();
      assert.deepEqual([opened, connections.size], code === undefined ? [1, 1] : [0, 0]);
      await scene.rig.close();
    }
  });

  it("costs no timer and no wait where its actor asks nothing", async () => {
    const rig = new Rig({ plain: actor({ actions: { get: () => 1 } }) });
    await rig.act("plain", "a", "get");
    const { connections } = await rig.instance("plain", "a");
    const timers = rig.clock.pending;
    const conn = connections.connect({ params: undefined });
    assert.ok(!(conn instanceof Promise));
    assert.equal(rig.clock.pending, timers);
    await rig.close();
  });

  it("[H-66] goes once, however many end it", async () => {
    const scene = new Scene();
    const { conn } = await scene.connect("one");
    await Promise.all([conn.disconnect(), conn.disconnect(), conn.disconnect()]);
    assert.deepEqual(scene.left, ["one"]);
    await scene.rig.close();
  });
});

describe("clients that a stop cuts off", () => {
  /** A room with three clients, of which the second cannot be told. */
  async function begin(): Promise<{ scene: Scene; ends: string[]; id: string }> {
    const scene = new Scene(3);
    const ends: string[] = [];
    const { connections, id } = await scene.rig.host.wake({
      ...{ name: "room", key: ["a"], create: { input: undefined } },
    });
    for (const params of ["one", "two", "three"]) {
      await connections.connect({
        params,
        onEnd(reason) {
          if (params === "two") throw new Error("its socket is broken");
          ends.push(`${params}: ${reason}`);
        },
      });
    }
    return { scene, ends, id };
  }

  it("[H-67] all go but those who cannot be told: these stay, and are reported together", async () => {
    const { scene, ends, id } = await begin();
    const instance = await scene.rig.instance("room", "a");
    const { promise, resolve } = withResolvers<void>();
    void instance.context.keepAwake(promise);
    const stopped = scene.rig.host.stop(id, "sleep");
    await scene.rig.clock.settle();
    assert.deepEqual(ends, ["one: actor.stopping", "three: actor.stopping"]);
    const left = [...instance.context.conns.values()].map(({ params }) => params);
    assert.deepEqual([left, scene.left], [["two"], ["one", "three"]]);
    const [conn] = instance.context.conns.keys();
    const told = scene.rig.logged("actor.error").map(({ attributes }) => attributes["error"]);
    assert.deepEqual(
      told.map((error) => ActrError.is(error) && [error.code, error.details]),
      [
        [
          "connection.disconnect_failed",
          { count: 1, details: [{ conn_id: conn, error: "its socket is broken" }] },
        ],
      ],
    );
    resolve();
    await stopped;
    await scene.rig.close();
  });

  it("are cut off, whoever cannot be told, when the actor is dropped", async () => {
    const { scene, ends, id } = await begin();
    const instance = await scene.rig.instance("room", "a");
    instance.drop(new ActrError("storage", "the disk is gone"));
    assert.deepEqual(ends, ["one: actor.restarting", "three: actor.restarting"]);
    assert.equal(scene.rig.logged("actor.disconnect_failed").length, 1);
    assert.equal(scene.rig.host.instance(id), undefined);
    await scene.rig.close();
  });
});

describe("what a client asks for", () => {
  it("[H-31] is done in its name; a schedule's action is nobody's", async () => {
    const seen: unknown[] = [];
    const room = actor({
      actions: {
        who: (c, what: string) => void seen.push([what, c.conn?.id]),
        later: (c) => c.schedule.after(1000, "who", "schedule"),
      },
    });
    const rig = new Rig({ room });
    const client = await Listener.connect(rig, "room", "a");
    client.act("who", "client");
    client.act("later");
    await rig.clock.advance(1000);
    assert.deepEqual(seen, [
      ["client", client.conn.id],
      ["schedule", undefined],
    ]);
    await rig.close();
  });

  it("[HD-13] is acknowledged by its answer, which leaves once what it changed is on disk", async () => {
    const scene = new Scene();
    const client = await scene.connect();
    scene.store.hold();
    client.act("add", 1);
    await scene.rig.clock.advance(5000);
    assert.deepEqual(client.taken(), []);
    scene.rig.host.abandon(new ActrError("stopping", "it is killed"));
    const [answer] = client.taken() as [number, string][];
    assert.deepEqual([answer?.[0], typeof answer?.[1]], [0, "string"]);
    assert.equal(client.end, "actor.restarting");
  });
});

describe("a subscription", () => {
  it("ends with its client: nothing is sent to who has gone", async () => {
    const scene = new Scene();
    const client = await scene.connect();
    client.subscribe("changed");
    await client.conn.disconnect();
    await scene.act("say", 1);
    assert.deepEqual(client.taken(), []);
    await scene.rig.close();
  });

  it("that is asked about is work: a stop waits for it, and one whose client has gone comes to nothing", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<boolean>();
    scene.canSubscribe = () => promise;
    const client = await scene.connect();
    client.subscribe("asked");
    const { work } = await scene.rig.instance("room", "a");
    assert.equal(work.count("connection"), 1);
    await client.conn.disconnect();
    resolve(true);
    await scene.rig.clock.settle();
    assert.deepEqual([client.taken(), work.count("connection")], [["connection.not_found"], 0]);
    await scene.rig.close();
  });

  it("[H-94] is refused when its event says so", async () => {
    const scene = new Scene();
    scene.canSubscribe = () => false;
    const client = await scene.connect();
    client.subscribe("asked");
    assert.deepEqual(client.taken(), ["auth.forbidden"]);
    await scene.rig.close();
  });

  it("is asked about for so long; what the client sends after it waits", async () => {
    const scene = new Scene();
    scene.canSubscribe = () => new Promise(() => {});
    const client = await scene.connect();
    client.subscribe("asked");
    client.act("calls");
    await scene.rig.clock.advance(4999);
    assert.deepEqual(client.taken(), []);
    await scene.rig.clock.advance(1);
    assert.deepEqual(client.taken(), ["actor.callback_timed_out", [0, 1]]);
    await scene.rig.close();
  });

  it("is one of so many: no more are taken", async () => {
    const scene = new Scene();
    const client = await scene.connect();
    for (let i = 0; i < 257; i++) client.subscribe(`event ${i}`);
    assert.deepEqual(client.taken(), ["actor.overloaded"]);
    await scene.rig.close();
  });
});

describe("an event", () => {
  it("is written once for all clients of an encoding", async () => {
    let written = 0;
    const codec = {
      event: (name: string, args: readonly unknown[]) => {
        written += 1;
        return JSON.stringify([name, ...args]);
      },
    };
    const room = actor({
      events: { changed: event<number>() },
      actions: { say: (c) => c.broadcast("changed", 1) },
    });
    const rig = new Rig({ room });
    const clients = [];
    for (let i = 0; i < 3; i++) {
      const client = await Listener.connect(rig, "room", "a", undefined, [], codec);
      client.subscribe("changed");
      clients.push(client);
    }
    await rig.clock.advance(1000);
    await rig.act("room", "a", "say");
    assert.equal(written, 1);
    for (const client of clients) assert.deepEqual(client.taken(), [["changed", 1]]);
    await rig.close();
  });

  it("that is too long for a client fails where it is sent", async () => {
    const scene = new Scene();
    const client = await scene.connect();
    client.subscribe("changed");
    const failure = await failureOf(scene.act("say", "é".repeat(600)));
    assert.equal(failure.code, "message.outgoing_too_long");
    await scene.rig.close();
  });
});

describe("the clients of an actor that is dropped", () => {
  it("are cut off at once, without their hooks", async () => {
    const scene = new Scene();
    const client = await scene.connect("one");
    await failureOf(scene.act("loop"));
    assert.deepEqual([client.end, scene.left], ["actor.restarting", []]);
    assert.equal(scene.rig.host.clients, 0);
    assert.deepEqual(await scene.act("connected"), []);
    await scene.rig.close();
  });
});
