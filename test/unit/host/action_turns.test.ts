import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../src/actor.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { failureOf, Rig } from "./support.ts";

/** Actions that write down when they begin and end; each ends when the test says so. */
class Scene {
  readonly did: string[] = [];
  readonly ends = new Map<string, () => void>();
  readonly rig: Rig;

  constructor() {
    const step = async (label: string): Promise<string> => {
      this.did.push(`begin ${label}`);
      const { promise, resolve } = withResolvers<void>();
      this.ends.set(label, resolve);
      await promise;
      this.did.push(`end ${label}`);
      return label;
    };
    const subject = actor({
      actions: {
        write: (_, label: string) => step(label),
        read: (_, label: string) => step(label),
        beside: (_, label: string) => step(label),
      },
      actionOptions: {
        read: { turn: "read" },
        beside: { turn: "interleaved" },
        write: { timeoutMs: 1000 },
      },
      options: { maxInbox: 2, sleepGraceMs: 500 },
    });
    this.rig = new Rig({ subject });
  }

  act(action: string, label: string): Promise<unknown> {
    return this.rig.act("subject", "a", action, label);
  }

  async end(label: string): Promise<void> {
    this.ends.get(label)?.();
    await this.rig.clock.settle();
  }
}

describe("actions of one actor", () => {
  it("[HD-25] take turns by default, one after the other, whatever they await", async () => {
    const scene = new Scene();
    const calls = [scene.act("write", "1"), scene.act("write", "2")];
    await scene.rig.clock.settle();
    assert.deepEqual(scene.did, ["begin 1"]);
    await scene.end("1");
    await scene.end("2");
    await Promise.all(calls);
    assert.deepEqual(scene.did, ["begin 1", "end 1", "begin 2", "end 2"]);
    await scene.rig.close();
  });

  it("[HD-25] that are reads go on together, and let a change wait", async () => {
    const scene = new Scene();
    const calls = [scene.act("read", "1"), scene.act("read", "2"), scene.act("write", "3")];
    await scene.rig.clock.settle();
    assert.deepEqual(scene.did, ["begin 1", "begin 2"]);
    await scene.end("2");
    await scene.end("1");
    assert.deepEqual(scene.did.slice(2), ["end 2", "end 1", "begin 3"]);
    await scene.end("3");
    await Promise.all(calls);
    await scene.rig.close();
  });

  it("[HD-25][H-83] that are interleaved begin at once, and end as they will", async () => {
    const scene = new Scene();
    const calls = [scene.act("beside", "slow"), scene.act("beside", "fast")];
    await scene.rig.clock.settle();
    await scene.end("fast");
    await scene.end("slow");
    await Promise.all(calls);
    assert.deepEqual(scene.did, ["begin slow", "begin fast", "end fast", "end slow"]);
    await scene.rig.close();
  });

  it("[HD-5] are refused when too many wait, and the others are answered", async () => {
    const scene = new Scene();
    const calls = ["1", "2", "3"].map((label) => scene.act("write", label));
    await scene.rig.clock.settle();
    assert.equal((await failureOf(scene.act("write", "4"))).code, "actor.overloaded");
    for (const label of ["1", "2", "3"]) await scene.end(label);
    assert.deepEqual(await Promise.all(calls), ["1", "2", "3"]);
    await scene.rig.close();
  });

  it("are answered at their deadline, and keep their turn until they end", async () => {
    const scene = new Scene();
    const late = failureOf(scene.act("write", "1"));
    await scene.rig.clock.advance(900);
    const next = scene.act("write", "2");
    await scene.rig.clock.advance(110);
    assert.equal((await late).code, "actor.action_timed_out");
    assert.deepEqual(scene.did, ["begin 1"]);
    await scene.end("1");
    await scene.end("2");
    assert.equal(await next, "2");
    await scene.rig.close();
  });

  it("have their deadline from their arrival: one whose turn comes too late is refused, and never begins", async () => {
    const scene = new Scene();
    const long = scene.act("read", "1");
    const waiting = failureOf(scene.act("write", "2"));
    await scene.rig.clock.advance(1010);
    const { code, message } = await waiting;
    assert.equal(code, "actor.action_timed_out");
    assert.match(message, /others have their turns before it/);
    const next = scene.act("write", "3");
    await scene.end("1");
    assert.equal(await long, "1");
    await scene.end("3");
    assert.equal(await next, "3");
    assert.deepEqual(scene.did, ["begin 1", "end 1", "begin 3", "end 3"]);
    await scene.rig.close();
  });

  it("that never end cost the actor its memory: it starts anew for whoever comes", async () => {
    const scene = new Scene();
    const calls = [scene.act("write", "1"), scene.act("write", "2")].map(failureOf);
    await scene.rig.clock.advance(1600);
    for (const call of calls) assert.equal((await call).code, "actor.action_timed_out");
    const next = scene.act("write", "3");
    await scene.rig.clock.settle();
    await scene.end("3");
    assert.equal(await next, "3");
    await scene.rig.close();
  });

  it("[HD-21] are logged for who debugs, and cost nobody else a line", async () => {
    const scene = new Scene();
    const call = scene.act("write", "1");
    await scene.rig.clock.settle();
    const before = scene.rig.lines.length;
    await scene.end("1");
    await call;
    const lines = scene.rig.lines.slice(before);
    assert.deepEqual(
      lines.map(({ level, event, attributes }) => [level, event, attributes["action"]]),
      [["debug", "actor.dispatch_handled", "write"]],
    );
    await scene.rig.close();
  });

  it("[H-32] keep it awake as long as they go on", async () => {
    const scene = new Scene();
    const call = scene.act("beside", "1");
    await scene.rig.clock.advance(45_000);
    const instance = await scene.rig.instance("subject", "a");
    assert.deepEqual([scene.rig.host.awake, instance.awakeReason], [1, "action"]);
    await scene.end("1");
    await call;
    assert.equal(instance.awakeReason, undefined);
    await scene.rig.clock.advance(30_000);
    assert.equal(scene.rig.host.awake, 0);
    await scene.rig.close();
  });
});

describe("an action that is called back by whom it calls", () => {
  const did: string[] = [];

  const subject = actor({
    state: () => ({ count: 0 }),
    actions: {
      add(c, by: number) {
        c.state.count += by;
        return c.state.count;
      },
      get: (c) => c.state.count,
      /** Calls the other, which calls `action` of this one. */
      async viaOther(c, action: string) {
        did.push("outer begins");
        c.state.count += 1;
        const answer = await other(c, "b")["callBack"]?.(c.key[0], action);
        did.push("outer ends");
        return answer;
      },
      async readViaOther(c, action: string) {
        return await other(c, "b")["callBack"]?.(c.key[0], action);
      },
      async callBack(c, key: string, action: string) {
        return action === "get"
          ? await other(c, key)["get"]?.()
          : await other(c, key)[action]?.(10);
      },
      mark: (_, label: string) => void did.push(label),
    },
    actionOptions: { get: { turn: "read" }, readViaOther: { turn: "read" } },
  });

  type Call = (...args: unknown[]) => Promise<unknown>;
  function other(c: { client(): unknown }, key: string): Record<string, Call> {
    const actors = c.client() as Record<
      string,
      { get(key: string): Record<string, Call> } | undefined
    >;
    return actors["subject"]?.get(key) ?? {};
  }

  it("goes on within its turn, which waits for it; who is no part of it waits", async () => {
    did.length = 0;
    const rig = new Rig({ subject });
    const outer = rig.act("subject", "a", "viaOther", "add");
    const stranger = rig.act("subject", "a", "mark", "stranger");
    assert.equal(await outer, 11);
    await stranger;
    assert.deepEqual(did, ["outer begins", "outer ends", "stranger"]);
    assert.equal(await rig.act("subject", "a", "get"), 11);
    await rig.close();
  });

  it("may read what a read waits with, though a change waits before it", async () => {
    const rig = new Rig({ subject });
    await rig.act("subject", "a", "add", 5);
    const reading = rig.act("subject", "a", "readViaOther", "get");
    const adding = rig.act("subject", "a", "add", 1);
    assert.equal(await reading, 5);
    assert.equal(await adding, 6);
    await rig.close();
  });

  it("is told at once that it would wait for itself when it changes what a read waits with", async () => {
    const rig = new Rig({ subject });
    const failure = await failureOf(rig.act("subject", "a", "readViaOther", "add"));
    assert.equal(failure.code, "actor.deadlock");
    assert.equal(await rig.act("subject", "a", "get"), 0);
    await rig.close();
  });
});
