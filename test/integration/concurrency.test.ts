import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "../../adapters/memory/test_node.ts";
import type { Context } from "../../src/context.ts";
import type { NodeDefinition } from "../../src/define.ts";
import { defineNode, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import type { NodeOptionsInput } from "../../src/options.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import { KeyService, type Visit } from "../fixtures/keys_pb.ts";
import { gate } from "../unit/inbound/support.ts";

type Work = (visit: Visit, context: Context) => Promise<{ name: string }> | { name: string };

interface Methods {
  readonly enter?: Work;
  readonly leave?: Work;
  readonly speak?: Work;
  readonly close?: Work;
}

const idle: Work = ({ name }) => ({ name });

/** Serves rooms: `enter` and `leave` by room, `speak` by caller, `close` alone. */
function rooms(
  methods: Methods,
  options: NodeOptionsInput = {},
  reentrant = false,
): NodeDefinition {
  const { enter = idle, leave = idle, speak = idle, close = idle } = methods;
  const rooms = service(KeyService, {
    handlers: { enter, leave, speak, close },
    methods: {
      enter: { conflictKey: { field: "room", domain: "rooms" } },
      leave: { conflictKey: { field: "room", domain: "rooms" }, reentrant },
      speak: { conflictKey: { sender: true } },
      close: { reentrant },
    },
  });
  return defineNode({ services: [rooms], options });
}

/** Handlers that wait at a door each, and tell when they begin. */
function doors(): { readonly work: Work; readonly began: string[]; open(name: string): void } {
  const began: string[] = [];
  const waiting = new Map<string, () => void>();
  return {
    began,
    async work({ name }) {
      began.push(name);
      const door = gate();
      waiting.set(name, door.open);
      await door.promise;
      return { name };
    },
    open: (name) => waiting.get(name)?.(),
  };
}

async function code(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "answered";
  } catch (error) {
    return ActrError.from(error).code;
  }
}

describe("concurrency, end to end", () => {
  it("[N-126] distinct keys overlap across two nodes; an undeclared method stays serial", async () => {
    const { work, began, open } = doors();
    await using t = await testNode(rooms({ enter: work, close: work }));
    const client = t.service(KeyService);
    const calls = ["a", "b"].map((room) => client.enter({ room, name: room }));
    await t.clock.settle();
    assert.deepEqual(began, ["a", "b"]);
    open("b");
    assert.equal((await calls[1])?.name, "b");
    open("a");
    await calls[0];
    const closing = ["x", "y"].map((name) => client.close({ name }));
    await t.clock.settle();
    assert.deepEqual(began.splice(2), ["x"]);
    open("x");
    await closing[0];
    await t.clock.settle();
    assert.deepEqual(began.splice(2), ["y"]);
    open("y");
    await closing[1];
  });

  it("[ND-21] a handler that calls a method of its own node which would wait for it hears so at once", async () => {
    const enter: Work = async ({ room, name }, context) => {
      if (name === "inner") return { name };
      const own = context.service(KeyService, context.selfId);
      const outcomes = [
        await code(own.leave({ room, name: "inner" })),
        await code(own.close({ name: "inner" })),
        await code(own.leave({ room: "other", name: "inner" })),
      ];
      return { name: outcomes.join(" ") };
    };
    await using t = await testNode(rooms({ enter }));
    const before = t.clock.now();
    const { name } = await t.service(KeyService).enter({ room: "a", name: "outer" });
    assert.equal(name, "invalid_argument invalid_argument answered");
    assert.equal(t.clock.now(), before, "no time had to pass");
  });

  it("[ND-21] so does one that runs alone, and calls itself", async () => {
    const close: Work = async (_visit, context) => {
      const own = context.service(KeyService, context.selfId);
      return { name: await code(own.enter({ room: "a" })) };
    };
    await using t = await testNode(rooms({ close }));
    assert.equal((await t.service(KeyService).close({})).name, "invalid_argument");
  });

  it("[ND-21] a reentrant method runs in the middle of the handler that waits for it", async () => {
    const events: string[] = [];
    const enter: Work = async ({ room }, context) => {
      events.push("enter");
      const own = context.service(KeyService, context.selfId);
      const { name } = await own.leave({ room, name: "inner" });
      events.push("entered");
      return { name };
    };
    const leave: Work = ({ name }) => {
      events.push(`leave ${name}`);
      return { name };
    };
    for (const durableCalls of [false, true]) {
      await using t = await testNode(rooms({ enter, leave }, { inbound: { durableCalls } }, true));
      const client = t.service(KeyService);
      const outer = client.enter({ room: "a" });
      const other = client.leave({ room: "a", name: "stranger" });
      assert.deepEqual([(await outer).name, (await other).name], ["inner", "stranger"]);
      assert.deepEqual(events.splice(0), ["enter", "leave inner", "entered", "leave stranger"]);
    }
  });

  it("[ND-26] a call that comes back to the node it came from does not wait for its own beginning", async () => {
    for (const reentrant of [false, true]) {
      const ids: { there?: ActrId } = {};
      const there: Work = async ({ room }, context) => {
        const back = context.service(KeyService, context.callerId);
        return { name: await code(back.close({ room })) };
      };
      const here: Work = async ({ room }, context) =>
        await context.service(KeyService, ids.there ?? assert.fail()).enter({ room });
      await using t = await testNode(rooms({ enter: here }, {}, reentrant));
      const other = await t.peer(rooms({ enter: there }));
      ids.there = other.id;
      const before = t.clock.now();
      const { name } = await t.service(KeyService).enter({ room: "a" });
      assert.equal(name, reentrant ? "answered" : "invalid_argument");
      assert.equal(t.clock.now(), before, "no time had to pass");
    }
  });

  it("[ND-26] two nodes that call each other inside handlers at full load come to an end, in either mode", async () => {
    for (const method of ["enter", "close"] as const) {
      const peers: { ids: ActrId[] } = { ids: [] };
      const work: Work = async ({ room, name }, context) => {
        if (name === "inner") return { name };
        const other = peers.ids.find((id) => id.serial !== context.selfId.serial) ?? assert.fail();
        return await context
          .service(KeyService, other)
          [method]({ room: `${room}'`, name: "inner" });
      };
      await using t = await testNode(rooms({ enter: work, close: work }));
      const other = await t.peer(rooms({ enter: work, close: work }));
      peers.ids = [t.id, other.id];
      const began = t.clock.now();
      const calls = Array.from({ length: 200 }, (_, n) =>
        code([t, other][n % 2]?.service(KeyService)[method]({ room: `${n}` }) ?? assert.fail()),
      );
      const outcomes = await t.clock.through(Promise.all(calls));
      assert.deepEqual(new Set(outcomes), new Set(["answered"]), method);
      assert.ok(t.clock.now() - began < 10_000, "nobody waited for a deadline");
    }
  });

  it("[ND-28] a node whose only handler does not end in time is not ready, and reports itself unavailable, until it ends", async () => {
    const { work, open } = doors();
    await using t = await testNode(rooms({ close: work }, { dispatch: { timeoutMs: 100 } }));
    const call = code(t.service(KeyService).close({ name: "x" }, { timeoutMs: 120 }));
    await t.clock.settle();
    assert.equal((await t.fetch("/readyz")).status, 200);
    assert.equal(t.node.load().backlog < 1, true);
    await t.clock.advance(110);
    assert.equal(await call, "timed_out");
    const response = await t.fetch("/readyz");
    assert.equal(response.status, 503);
    assert.match(await response.text(), /1 handlers have not ended in time/);
    assert.equal(t.node.load().backlog, 1);
    open("x");
    await t.clock.settle();
    assert.equal((await t.fetch("/readyz")).status, 200);
    assert.equal(t.node.load().backlog < 1, true);
  });

  it("[N-122] two handlers run together; onStop waits for both and then runs alone", async () => {
    const { work, began, open } = doors();
    const events: string[] = [];
    const enter: Work = async (visit, context) => {
      const answer = await work(visit, context);
      events.push(answer.name);
      return answer;
    };
    const app = rooms({ enter });
    const hooks = { onStop: () => void events.push("onStop") };
    await using t = await testNode(defineNode({ ...app, hooks }));
    const client = t.service(KeyService);
    const calls = ["a", "b"].map((room) => client.enter({ room, name: room }));
    await t.clock.settle();
    assert.deepEqual(began, ["a", "b"]);
    const stopping = t.node.stop();
    open("b");
    await t.clock.settle();
    assert.deepEqual(events, ["b"]);
    open("a");
    await Promise.all([stopping, ...calls]);
    assert.deepEqual(events, ["b", "a", "onStop"]);
  });
});
