import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, event, queue } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { HeldStore } from "../host/held_store.ts";

const hang = (): Promise<never> => new Promise(() => {});

const desk = actor({
  state: () => ({ count: 0 }),
  events: { secret: event<number>({ canSubscribe: () => false }) },
  queues: { jobs: queue<number>(), closed: queue<number>({ canPublish: () => false }) },
  options: { maxInbox: 1, maxQueueSize: 1 },
  actions: {
    add(c) {
      c.state.count += 1;
    },
    hang,
  },
  actionOptions: { add: { turn: "interleaved" } },
  onRequest: hang,
});
const app = defineNode({ actors: { desk } });

const query = "rvt-namespace=default&rvt-method=getOrCreate&rvt-key=a";

/** Every command that HTTP brings to an actor. */
const commands = {
  action: ["action/hang", { args: [] }],
  add: ["action/add", { args: [] }],
  queueSend: ["queue/jobs", { body: 1, wait: false }],
  queueWait: ["queue/jobs", { body: 1, wait: true }],
  request: ["request/x", {}],
} as const;

type Command = keyof typeof commands;

/** What the answer to a command says: its code, and the key and generation of the actor that it names. */
async function send(t: TestNode, command: Command, queueName = "jobs"): Promise<unknown[]> {
  const [path, body] = commands[command];
  const answer = await t.fetch(`/gateway/desk/${path.replace("jobs", queueName)}?${query}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  const { group, code, actor: who } = await answer.json();
  const id = answer.headers.get("x-rivet-actor");
  return [
    `${group}.${code}`,
    who?.key,
    who?.actorId === id,
    answer.headers.get("x-rivet-actor-key"),
  ];
}

describe("whoever sends a command that an actor does not carry out", () => {
  it("[HD-22] is told so, and by which actor, where it finds no room", async () => {
    await using t = await testNode(app);
    // One action has its turn, one waits for it, and the queue is full.
    for (let i = 0; i < 2; i++) void send(t, "action").catch(() => {});
    await send(t, "queueSend");
    await t.clock.settle();
    for (const [command, code] of [
      ["action", "actor.overloaded"],
      ["request", "actor.overloaded"],
      ["queueSend", "queue.full"],
      ["queueWait", "queue.full"],
    ] as const) {
      assert.deepEqual(await send(t, command), [code, "a", true, "a"], command);
    }
    for (const command of ["queueSend", "queueWait"] as const) {
      assert.deepEqual(await send(t, command, "closed"), ["auth.forbidden", "a", true, "a"]);
      assert.deepEqual(await send(t, command, "none"), ["queue.not_found", "a", true, "a"]);
    }
  });

  for (const refused of ["add", "queueSend", "queueWait"] as const) {
    it(`[HD-22] is told so, and by which actor, when what ${refused} changed cannot be written`, async () => {
      const store = new HeldStore();
      await using t = await testNode(app, { store });
      await t.actors.desk.get("a").add();
      const waiting = [send(t, "action"), send(t, "request")];
      await t.clock.settle();
      store.refuseNext("statement");
      for (const told of await Promise.all([send(t, refused), ...waiting])) {
        assert.deepEqual(told, ["actor.restarting", "a", true, "a"]);
      }
    });
  }

  it("[HD-22] is told so by its connection, too", async () => {
    await using t = await testNode(app);
    const url = `ws://${t.host}/gateway/desk/connect?${query}`;
    const socket = await t.world.network.sockets().connect(url, {
      ...{ protocols: ["rivet"], maxMessageBytes: 1_000_000 },
      signal: new AbortController().signal,
    });
    const told: unknown[] = [];
    socket.handle({
      message: () => assert.fail("bytes"),
      text(text) {
        const { tag, val } = JSON.parse(text).body;
        if (tag === "Error") told.push([`${val.group}.${val.code}`, val.actor?.key]);
      },
      closed: () => {},
    });
    await t.clock.settle();
    for (const body of [
      { tag: "SubscriptionRequest", val: { eventName: "secret", subscribe: true } },
      { tag: "ActionRequest", val: { id: ["$BigInt", "0"], name: "none", args: [] } },
    ]) {
      socket.sendText(JSON.stringify({ body }));
      await t.clock.settle();
    }
    assert.deepEqual(told, [
      ["auth.forbidden", "a"],
      ["actor.action_not_found", "a"],
    ]);
  });
});
