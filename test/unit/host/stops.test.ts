import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ActorContext, actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

const forever = (): Promise<void> => new Promise(() => {});

/** One actor, over a store whose commits can be held back, and what its hooks and actions did. */
class Scene {
  readonly store = new HeldStore();
  readonly did: string[] = [];
  /** What `onError` was told. */
  readonly errors: string[] = [];
  readonly rig: Rig;
  onSleep: (c: ActorContext) => void | Promise<void> = () => {};
  onDestroy: (c: ActorContext) => void | Promise<void> = () => {};
  /** What `work` waits for. */
  gate = withResolvers<void>();
  id = "";

  constructor(sleepGraceMs = 1000) {
    const { did } = this;
    const subject = actor({
      state: () => ({ count: 0 }),
      onWake: () => void did.push("wake"),
      onError: (_, error, source) => void this.errors.push(`${source}: ${error.message}`),
      onSleep: async (c) => {
        did.push("sleep");
        await this.onSleep(c as unknown as ActorContext);
      },
      onDestroy: async (c) => {
        did.push("destroy");
        await this.onDestroy(c as unknown as ActorContext);
      },
      actions: {
        id: (c) => c.actorId,
        get: (c) => c.state.count,
        add(c, by: number) {
          c.state.count += by;
          return c.state.count;
        },
        work: async (c) => {
          await this.gate.promise;
          c.state.count += 1;
          return "worked";
        },
        waitUntil: (c) => {
          c.waitUntil(
            this.gate.promise.then(() => {
              c.state.count += 10;
            }),
          );
        },
        keepAwake: (c) => void c.keepAwake(this.gate.promise),
        sleepTwice(c) {
          c.sleep();
          c.sleep();
          return c.signal.aborted;
        },
        destroyTwice(c) {
          c.destroy();
          try {
            c.destroy();
          } catch (error) {
            return (error as { code: string }).code;
          }
          return c.signal.aborted;
        },
        end(c) {
          c.destroy();
          return c.signal.aborted;
        },
      },
      options: { sleepGraceMs },
    });
    this.rig = new Rig({ subject }, { store: this.store });
  }

  static async begin(sleepGraceMs?: number): Promise<Scene> {
    const scene = new Scene(sleepGraceMs);
    scene.id = (await scene.act("id")) as string;
    scene.did.length = 0;
    return scene;
  }

  act(action: string, ...args: unknown[]): Promise<unknown> {
    return this.rig.act("subject", "a", action, ...args);
  }

  /** Begins a stop; `ended` says whether it is over. */
  stop(reason: "sleep" | "destroy"): { ended: boolean; failed: unknown } {
    const stop = { ended: false, failed: undefined as unknown };
    this.rig.host.stop(this.id, reason).then(
      () => {
        stop.ended = true;
      },
      (error: unknown) => {
        stop.failed = error;
      },
    );
    return stop;
  }

  async storedCount(): Promise<unknown> {
    const bytes = await this.store.record(`actor:${this.id}`, "s");
    return bytes && (decodeCbor(bytes) as { count: number }).count;
  }
}

describe("the end of an instance", () => {
  it("[H-47] comes at once when there is no work", async () => {
    const scene = await Scene.begin();
    const stop = scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.ok(stop.ended);
    assert.deepEqual([scene.did, scene.rig.host.awake], [["sleep"], 0]);
  });

  for (const work of ["keepAwake", "waitUntil", "work"]) {
    it(`[H-48] waits for ${work}, and comes when that has ended`, async () => {
      const scene = await Scene.begin();
      const acting = scene.act(work);
      await scene.rig.clock.settle();
      const stop = scene.stop("sleep");
      await scene.rig.clock.advance(500);
      assert.equal(stop.ended, false);
      scene.gate.resolve();
      await acting;
      await scene.rig.clock.settle();
      assert.equal(stop.ended, true);
    });
  }

  it("[H-85] saves what work changes that it waits for", async () => {
    const scene = await Scene.begin();
    await scene.act("waitUntil");
    scene.stop("sleep");
    await scene.rig.clock.settle();
    scene.gate.resolve();
    await scene.rig.clock.settle();
    assert.equal(await scene.storedCount(), 10);
    assert.equal(await scene.act("get"), 10);
  });

  it("[HD-15] is one for all who ask, told to each when it is over", async () => {
    const scene = await Scene.begin();
    await scene.act("keepAwake");
    const { context } = await scene.rig.instance("subject", "a");
    const stops = [scene.stop("sleep"), scene.stop("sleep"), scene.stop("sleep")];
    await scene.rig.clock.settle();
    assert.ok(stops.every(({ ended }) => !ended));
    assert.ok(context.signal.aborted);
    scene.gate.resolve();
    await scene.rig.clock.settle();
    assert.ok(stops.every(({ ended }) => ended));
    assert.deepEqual(scene.did, ["sleep"]);
  });

  it("[HD-16] becomes the actor's end for good when that is asked for while it falls asleep", async () => {
    const scene = await Scene.begin();
    await scene.act("keepAwake");
    const stops = [scene.stop("sleep")];
    await scene.rig.clock.settle();
    stops.push(scene.stop("destroy"));
    await scene.rig.clock.settle();
    assert.ok(stops.every(({ ended }) => !ended));
    scene.gate.resolve();
    await scene.rig.clock.settle();
    assert.ok(stops.every(({ ended }) => ended));
    assert.deepEqual(scene.did, ["sleep", "destroy"]);
    assert.equal(await scene.rig.host.find({ id: scene.id }), undefined);
  });

  it("[H-51] comes when its grace is over, whatever goes on, and says what did", async () => {
    const scene = await Scene.begin();
    await scene.act("waitUntil");
    const stop = scene.stop("destroy");
    await scene.rig.clock.advance(999);
    assert.equal(stop.ended, false);
    await scene.rig.clock.advance(1);
    await scene.rig.clock.settle();
    assert.equal(stop.ended, true);
    const [line] = scene.rig.logged("actor.grace_deadline");
    assert.deepEqual([line?.attributes["reason"], line?.attributes["wait_until"]], ["destroy", 1]);
  });

  for (const kind of ["waitUntil", "keepAwake"] as const) {
    it(`[H-46] aborts at the end of its grace, not before, what ${kind} was given`, async () => {
      const scene = await Scene.begin();
      const { context } = await scene.rig.instance("subject", "a");
      let aborted: unknown;
      const work = (signal: AbortSignal): Promise<void> =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            aborted = signal.reason;
            resolve();
          });
        });
      void context[kind](work);
      const stop = scene.stop("sleep");
      await scene.rig.clock.advance(999);
      assert.deepEqual([context.signal.aborted, aborted, stop.ended], [true, undefined, false]);
      await scene.rig.clock.advance(1);
      assert.deepEqual([(aborted as ActrError).code, stop.ended], ["actor.stopping", true]);
    });
  }

  it("[H-45] does not begin work that comes after it", async () => {
    const scene = await Scene.begin();
    const { context } = await scene.rig.instance("subject", "a");
    scene.stop("sleep");
    await scene.rig.clock.settle();
    let begun = false;
    const work = async (): Promise<void> => {
      begun = true;
    };
    assert.equal((await failureOf(context.keepAwake(work))).code, "actor.stopping");
    context.waitUntil(work);
    await scene.rig.clock.settle();
    assert.equal(begun, false);
    assert.equal(scene.rig.logged("actor.work_refused").length, 1);
  });

  it("[H-62] says once what it waits for when that takes more than a second, and nothing when it does not", async () => {
    for (const [ms, warnings] of [
      [999, 0],
      [1001, 1],
    ] as const) {
      const scene = await Scene.begin(60_000);
      await scene.act("keepAwake");
      scene.stop("sleep");
      await scene.rig.clock.advance(ms);
      scene.gate.resolve();
      await scene.rig.clock.advance(10_000);
      const lines = scene.rig.logged("actor.drain_slow");
      assert.equal(lines.length, warnings);
      for (const { level, attributes } of lines) {
        assert.deepEqual(
          [level, attributes["reason"], attributes["keep_awake"]],
          ["warn", "sleep", 1],
        );
      }
    }
  });

  for (const reason of ["sleep", "destroy"] as const) {
    it(`[H-45] aborts what its work listens to; work that comes after a ${reason} is refused, with one warning`, async () => {
      const scene = await Scene.begin();
      await scene.act("keepAwake");
      const { context, work } = await scene.rig.instance("subject", "a");
      const { signal } = context;
      scene.stop(reason);
      await scene.rig.clock.settle();
      assert.ok(signal.aborted);
      await scene.rig.clock.advance(1000);
      assert.equal(scene.rig.host.awake, 0);
      const { total } = work;
      context.waitUntil(forever());
      void context.keepAwake(forever());
      assert.equal(work.total, total);
      assert.deepEqual(
        scene.rig.logged("actor.work_refused").map(({ level }) => level),
        ["warn"],
      );
    });
  }

  it("[HD-16] ends the actor, too, when that is asked for during its last save", async () => {
    const scene = await Scene.begin();
    const instance = await scene.rig.instance("subject", "a");
    scene.store.hold();
    instance.context.kv.put("k", 1);
    const stops = [scene.stop("sleep")];
    await scene.rig.clock.settle();
    assert.equal(instance.state, "sleep_finalize");
    stops.push(scene.stop("destroy"));
    scene.store.release();
    await scene.rig.clock.settle();
    assert.ok(stops.every(({ ended }) => ended));
    assert.deepEqual(scene.did, ["sleep", "wake", "destroy"]);
    assert.equal(await scene.rig.host.find({ id: scene.id }), undefined);
  });

  it("[H-34] serves while its onSleep goes on", async () => {
    const scene = await Scene.begin();
    const { promise, resolve } = withResolvers<void>();
    scene.onSleep = () => promise;
    const stop = scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.equal(await scene.act("add", 1), 1);
    assert.deepEqual([stop.ended, scene.did], [false, ["sleep"]]);
    resolve();
    await scene.rig.clock.settle();
    assert.deepEqual([stop.ended, await scene.storedCount()], [true, 1]);
  });

  it("has for its last save the time of its grace, where that is longer than 15 s", async () => {
    const scene = await Scene.begin(60_000);
    scene.onSleep = (c) => {
      (c.state as { count: number }).count = 9;
    };
    scene.store.hold();
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(59_999);
    assert.equal(stop.failed, undefined);
    scene.store.release();
    await scene.rig.clock.settle();
    assert.deepEqual([stop.ended, await scene.storedCount()], [true, 9]);
  });

  it("[H-59] has deleted the actor when it is told of", async () => {
    const scene = await Scene.begin();
    await scene.rig.host.stop(scene.id, "destroy");
    assert.equal(await scene.store.nextSpace(""), undefined);
    assert.equal(await scene.rig.host.find({ id: scene.id }), undefined);
  });

  it("[HD-2] saves at the end of its grace what is there, though an action never ends", async () => {
    const scene = await Scene.begin();
    const hanging = failureOf(scene.act("work"));
    await scene.rig.clock.settle();
    const { saving } = await scene.rig.instance("subject", "a");
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(990);
    (saving.state as { count: number }).count = 42;
    await scene.rig.clock.advance(10);
    await scene.rig.clock.settle();
    assert.equal(stop.ended, true);
    assert.equal(await scene.storedCount(), 42);
    assert.equal((await hanging).code, "actor.stopping");
  });

  it("[HD-4] answers every command that is left, those that go on and those that wait", async () => {
    const scene = await Scene.begin();
    const left = [scene.act("work"), scene.act("add", 1), scene.act("get")].map(failureOf);
    await scene.rig.clock.settle();
    scene.stop("sleep");
    await scene.rig.clock.advance(1000);
    for (const call of left) {
      const { code, retryable } = await call;
      assert.deepEqual([code, retryable], ["actor.stopping", true]);
    }
    assert.equal(await scene.act("add", 1), 1);
  });

  it("is final: what its code changes later is never written over what came after", async () => {
    const scene = await Scene.begin();
    await scene.act("waitUntil");
    scene.stop("sleep");
    await scene.rig.clock.advance(1000);
    assert.equal(await scene.act("add", 5), 5);
    scene.gate.resolve();
    await scene.rig.clock.advance(10_000);
    assert.equal(await scene.storedCount(), 5);
    assert.equal(await scene.act("get"), 5);
  });

  it("hands the store nothing, and sets no timer, for what is changed after its last save", async () => {
    const scene = await Scene.begin();
    const { saving, gate } = await scene.rig.instance("subject", "a");
    scene.store.hold();
    scene.stop("sleep");
    saving.state = { count: 1 };
    await scene.rig.clock.settle();
    const [commits, timers] = [scene.store.commits.length, scene.rig.clock.pending];
    saving.state = { count: 2 };
    saving.save();
    assert.deepEqual([scene.store.commits.length, scene.rig.clock.pending], [commits, timers]);
    scene.store.release();
    await scene.rig.clock.settle();
    assert.equal(await scene.storedCount(), 1);
    assert.equal((await failureOf(gate.flushed())).code, "actor.stopping");
  });

  it("leaves nothing of a destroyed actor, whatever its code does later", async () => {
    const scene = await Scene.begin();
    await scene.act("waitUntil");
    scene.stop("destroy");
    await scene.rig.clock.advance(1000);
    scene.gate.resolve();
    await scene.rig.clock.advance(10_000);
    assert.equal(await scene.store.nextSpace(""), undefined);
  });

  it("[HD-34] lets actions finish that were accepted before it", async () => {
    const scene = await Scene.begin();
    const accepted = [scene.act("work"), scene.act("add", 2)];
    await scene.rig.clock.settle();
    const stop = scene.stop("destroy");
    await scene.rig.clock.settle();
    assert.equal(stop.ended, false);
    scene.gate.resolve();
    assert.deepEqual(await Promise.all(accepted), ["worked", 3]);
    await scene.rig.clock.settle();
    assert.equal(stop.ended, true);
  });

  it("[H-34] serves as long as its work goes on", async () => {
    const scene = await Scene.begin();
    await scene.act("keepAwake");
    const stop = scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.equal(await scene.act("add", 4), 4);
    assert.deepEqual([stop.ended, scene.did], [false, ["sleep"]]);
    scene.gate.resolve();
    await scene.rig.clock.settle();
    assert.equal(await scene.storedCount(), 4);
  });

  it("[H-35] refuses what reaches it once its last save has begun; by its key the next one serves", async () => {
    const scene = await Scene.begin();
    const instance = await scene.rig.instance("subject", "a");
    scene.store.hold();
    instance.context.kv.put("k", 1);
    scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.equal(instance.state, "sleep_finalize");
    const refused = new Promise<string>((resolve) => {
      const answer = { take: () => () => {}, fail: (e: { code: string }) => resolve(e.code) };
      instance.act({ name: "get", args: [], answer });
    });
    assert.equal(await refused, "actor.stopping");
    const served = scene.act("add", 1);
    scene.store.release();
    assert.equal(await served, 1);
  });

  it("[H-26] waits for saves that are on their way", async () => {
    const scene = await Scene.begin();
    scene.store.hold();
    const adding = scene.act("add", 1);
    await scene.rig.clock.settle();
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(5000);
    assert.equal(stop.ended, false);
    scene.store.release();
    assert.equal(await adding, 1);
    await scene.rig.clock.settle();
    assert.equal(stop.ended, true);
  });

  it("[HD-19] comes, with an error, when the last save never ends", async () => {
    const scene = await Scene.begin();
    scene.store.hold();
    const adding = failureOf(scene.act("add", 1));
    await scene.rig.clock.settle();
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(15_000);
    await scene.rig.clock.settle();
    assert.equal((stop.failed as { code: string }).code, "actor.shutdown_timeout");
    assert.equal((await adding).code, "actor.shutdown_timeout");
    assert.equal(scene.rig.host.awake, 0);
  });

  it("[HD-1] tries the last save again when it fails", async () => {
    const scene = await Scene.begin();
    scene.onSleep = (c) => {
      (c.state as { count: number }).count = 9;
    };
    scene.store.fail("the disk is full");
    const stop = scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.equal(stop.ended, false);
    scene.store.fail(undefined);
    await scene.rig.clock.advance(125);
    assert.deepEqual([stop.ended, await scene.storedCount()], [true, 9]);
  });

  it("[HD-1] says so when the last save fails until its time is up, and keeps what was saved before", async () => {
    const scene = await Scene.begin();
    scene.onSleep = (c) => {
      (c.state as { count: number }).count = 9;
    };
    scene.store.fail("the disk is full");
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(15_000);
    assert.equal((stop.failed as { code: string }).code, "actor.shutdown_timeout");
    assert.equal(scene.rig.host.awake, 0);
    scene.store.fail(undefined);
    assert.equal(await scene.act("get"), 0);
  });

  it("is over at once when what is in memory cannot be kept", async () => {
    const scene = await Scene.begin();
    await scene.act("keepAwake");
    const stop = scene.stop("sleep");
    await scene.rig.clock.settle();
    scene.store.refuseNext("statement");
    await failureOf(scene.act("add", 1));
    await scene.rig.clock.settle();
    assert.equal((stop.failed as { code: string }).code, "storage");
    assert.equal(await scene.act("add", 1), 1);
  });

  it("[H-86] comes though onSleep throws, and saves what it changed", async () => {
    const scene = await Scene.begin();
    scene.onSleep = (c) => {
      (c.state as { count: number }).count = 3;
      throw new Error("no");
    };
    scene.stop("sleep");
    await scene.rig.clock.settle();
    assert.deepEqual([scene.rig.host.awake, await scene.storedCount()], [0, 3]);
    assert.equal(scene.rig.logged("actor.error").length, 1);
  });

  for (const [reason, hook] of [
    ["sleep", "onSleep"],
    ["destroy", "onDestroy"],
  ] as const) {
    it(`[H-58] whose ${hook} throws is told as an internal error to each who asked, and to onError once`, async () => {
      const scene = await Scene.begin();
      scene[hook] = () => {
        throw new Error("no");
      };
      const stops = [scene.stop(reason), scene.stop(reason)];
      await scene.rig.clock.settle();
      for (const { failed, ended } of stops) {
        assert.ok(ActrError.is(failed));
        assert.deepEqual([failed.code, failed.public, ended], ["internal", false, false]);
        assert.ok(failed.message.includes(`${hook} failed: no`), failed.message);
      }
      assert.deepEqual(scene.errors, ["hook: no"]);
      assert.equal(scene.rig.host.awake, 0);
      const found = await scene.rig.host.find({ id: scene.id });
      assert.equal(found !== undefined, reason === "sleep");
    });
  }

  it("that it asked for itself, and whose hook throws, tells onError once", async () => {
    const scene = await Scene.begin();
    scene.onSleep = () => {
      throw new Error("no");
    };
    await scene.act("sleepTwice");
    await scene.rig.clock.settle();
    assert.deepEqual([scene.errors, scene.rig.host.awake], [["hook: no"], 0]);
  });

  for (const reason of ["sleep", "destroy"] as const) {
    it(`waits for onDisconnect of the clients that a ${reason} cuts off, and saves what it changed`, async () => {
      const { promise, resolve } = withResolvers<void>();
      const left: string[] = [];
      const room = actor({
        state: () => ({ left: 0 }),
        actions: { id: (c) => c.actorId, left: (c) => c.state.left },
        async onDisconnect(c, conn) {
          await promise;
          left.push(conn.id);
          c.state.left += 1;
        },
      });
      const rig = new Rig({ room });
      const id = (await rig.act("room", "a", "id")) as string;
      const { connections } = await rig.instance("room", "a");
      const conn = await connections.visit(undefined);
      const stopped = rig.host.stop(id, reason);
      await rig.clock.advance(1000);
      assert.deepEqual([left, rig.host.awake], [[], 1]);
      resolve();
      await stopped;
      assert.deepEqual([left, rig.host.awake], [[conn.id], 0]);
      assert.equal(await rig.act("room", "a", "left"), reason === "sleep" ? 1 : 0);
      await rig.close();
    });
  }

  it("comes though onSleep never ends", async () => {
    const scene = await Scene.begin();
    scene.onSleep = forever;
    const stop = scene.stop("sleep");
    await scene.rig.clock.advance(1000);
    await scene.rig.clock.settle();
    assert.ok(ActrError.is(stop.failed));
    assert.equal((stop.failed.cause as ActrError).code, "actor.callback_timed_out");
    assert.equal(scene.rig.host.awake, 0);
  });
});

describe("an actor's own code", () => {
  it("[H-84] may ask twice to sleep, and sleeps once", async () => {
    const scene = await Scene.begin();
    assert.equal(await scene.act("sleepTwice"), false);
    await scene.rig.clock.settle();
    await scene.act("get");
    assert.deepEqual(scene.did, ["sleep", "wake"]);
  });

  for (const [action, state] of [
    ["sleepTwice", "sleep_grace"],
    ["end", "destroy_grace"],
  ] as const) {
    it(`[H-61] that asks by ${action} is stopped once, with one hook, after it has gone on`, async () => {
      const scene = await Scene.begin();
      await scene.act(action);
      const stops = () =>
        scene.rig.logged("actor.lifecycle").filter(({ attributes }) => attributes["new"] === state);
      assert.deepEqual([stops().length, scene.did], [0, []]);
      await scene.rig.clock.advance(5000);
      assert.deepEqual([stops().length, scene.did.length], [1, 1]);
    });
  }

  it("[H-38] is told that it stops when it asks twice for its end", async () => {
    const scene = await Scene.begin();
    assert.equal(await scene.act("destroyTwice"), "actor.stopping");
    await scene.rig.clock.settle();
    assert.deepEqual(scene.did, ["destroy"]);
  });

  it("[H-39] sleeps on the next turn of the event loop, without time passing", async () => {
    const scene = await Scene.begin();
    const before = scene.rig.clock.now();
    await scene.act("sleepTwice");
    await scene.rig.clock.settle();
    assert.deepEqual([scene.rig.host.awake, scene.rig.clock.now()], [0, before]);
  });

  it("[H-89] goes on to its end when it asks for the actor's; who comes next by key gets a new one", async () => {
    const scene = await Scene.begin();
    await scene.act("add", 5);
    assert.equal(await scene.act("end"), false);
    assert.equal(await scene.act("get"), 0);
    assert.notEqual(await scene.act("id"), scene.id);
    assert.deepEqual(scene.did, ["destroy", "wake"]);
  });

  it("[H-10] after a sleep finds its signal fresh and the wish to sleep forgotten", async () => {
    const scene = await Scene.begin();
    await scene.act("sleepTwice");
    await scene.rig.clock.settle();
    await scene.act("get");
    const instance = await scene.rig.instance("subject", "a");
    assert.deepEqual(
      [instance.requested, instance.context.signal.aborted, instance.state],
      [undefined, false, "started"],
    );
  });

  it("[H-57][HD-18] keeps its alarm while it sleeps, and has none when its end is told of", async () => {
    const alarms = (rig: Rig) => rig.store.records("alarms", "", 10);
    const subject = actor({
      actions: { id: (c) => c.actorId, later: (c) => c.schedule.after(60_000, "id") },
    });
    const rig = new Rig({ subject });
    const id = (await rig.act("subject", "a", "id")) as string;
    await rig.act("subject", "a", "later");
    await rig.host.stop(id, "sleep");
    assert.equal((await alarms(rig)).length, 1);
    await rig.host.stop(id, "destroy");
    assert.equal((await alarms(rig)).length, 0);
    await rig.close();
  });
});
