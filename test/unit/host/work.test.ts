import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ActorContext, actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { Rig } from "./support.ts";

/** The same actor, as far as its state goes. */
const reader = actor({ state: { count: 0 }, actions: { get: (c) => c.state.count } });

/** An actor whose work and `run` go on as the test tells them. */
class Scene {
  readonly errors: string[] = [];
  readonly rig: Rig;
  runs = 0;
  sleeps = 0;
  run: (c: ActorContext) => void | Promise<void> = () => {};

  constructor() {
    const subject = actor({
      state: () => ({ count: 0 }),
      actions: {
        id: (c) => c.actorId,
        get: (c) => c.state.count,
        keepAwake: (c, work: () => Promise<void>) => void c.keepAwake(work()).catch(() => {}),
        waitUntil: (c, work: () => Promise<void>) => c.waitUntil(work()),
      },
      run: async (c) => {
        this.runs += 1;
        await this.run(c as unknown as ActorContext);
      },
      onSleep: () => {
        this.sleeps += 1;
      },
      onError: (_, error, source) => void this.errors.push(`${source}: ${error.message}`),
      options: { sleepAfterMs: 1000, sleepGraceMs: 100 },
    });
    this.rig = new Rig({ subject });
  }

  act(action: string, ...args: unknown[]): Promise<unknown> {
    return this.rig.act("subject", "a", action, ...args);
  }
}

describe("work beside the turns of an actor", () => {
  it("[H-40] that keeps it awake is waited for before it rests", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    await scene.act("keepAwake", () => promise);
    await scene.rig.clock.advance(5000);
    assert.equal(scene.rig.host.awake, 1);
    resolve();
    await scene.rig.clock.advance(999);
    assert.equal(scene.rig.host.awake, 1);
    await scene.rig.clock.advance(1);
    assert.equal(scene.rig.host.awake, 0);
  });

  it("that is only waited for does not keep it from falling asleep", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    await scene.act("waitUntil", () => promise);
    await scene.rig.clock.advance(1000);
    assert.deepEqual([scene.sleeps, scene.rig.host.awake], [1, 1]);
    resolve();
    await scene.rig.clock.settle();
    assert.equal(scene.rig.host.awake, 0);
  });

  for (const kind of ["keepAwake", "waitUntil"]) {
    it(`[HD-28][H-44] is forgotten when it ends, well or not: ${kind}`, async () => {
      const scene = new Scene();
      await scene.act("id");
      const { work } = await scene.rig.instance("subject", "a");
      const { promise, resolve } = withResolvers<void>();
      await scene.act(kind, () => promise);
      await scene.act(kind, () => promise.then(() => Promise.reject(new Error("lost"))));
      assert.equal(work.total, 2);
      resolve();
      await scene.rig.clock.settle();
      assert.equal(work.total, 0);
      assert.deepEqual(scene.errors, kind === "waitUntil" ? ["task: lost"] : []);
      await scene.rig.close();
    });
  }
});

describe("run", () => {
  it("[H-42] keeps the actor awake as long as it goes on", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    scene.run = () => promise;
    await scene.act("get");
    await scene.rig.clock.advance(5000);
    assert.equal(scene.rig.host.awake, 1);
    resolve();
    await scene.rig.clock.advance(1000);
    assert.equal(scene.rig.host.awake, 0);
  });

  it("[H-52] that ignores its signal is waited for no longer than the grace", async () => {
    const scene = new Scene();
    scene.run = () => new Promise(() => {});
    const id = (await scene.act("id")) as string;
    let ended = false;
    void scene.rig.host.stop(id, "sleep").then(() => {
      ended = true;
    });
    await scene.rig.clock.advance(99);
    assert.equal(ended, false);
    await scene.rig.clock.advance(1);
    await scene.rig.clock.settle();
    assert.equal(ended, true);
  });

  it("is not waited for by the end of its actor", async () => {
    const scene = new Scene();
    scene.run = () => new Promise(() => {});
    const id = (await scene.act("id")) as string;
    let ended = false;
    void scene.rig.host.stop(id, "destroy").then(() => {
      ended = true;
    });
    await scene.rig.clock.settle();
    assert.equal(ended, true);
  });

  it("[H-60] that has ended leaves the actor as it was, and its stop with its hook", async () => {
    const scene = new Scene();
    const id = (await scene.act("id")) as string;
    await scene.rig.clock.settle();
    assert.equal(await scene.act("get"), 0);
    await scene.rig.host.stop(id, "sleep");
    assert.deepEqual([scene.runs, scene.sleeps], [1, 1]);
  });

  it("[HD-3] that fails is reported, what it changed is saved, and it begins again, later each time", async () => {
    const scene = new Scene();
    scene.run = async (c) => {
      (c.state as { count: number }).count += 1;
      throw new Error("lost");
    };
    await scene.act("get");
    for (const [pauseMs, runs] of [
      [100, 2],
      [200, 3],
      [400, 4],
    ] as const) {
      await scene.rig.clock.advance(pauseMs - 1);
      assert.equal(scene.runs, runs - 1);
      await scene.rig.clock.advance(1);
      await scene.rig.clock.settle();
      assert.equal(scene.runs, runs);
    }
    assert.equal(scene.errors.length, 4);
    assert.deepEqual(new Set(scene.errors), new Set(["run: lost"]));
    scene.rig.host.abandon(new ActrError("stopping", "it is killed"));
    const next = new Rig({ subject: reader }, { store: scene.rig.store });
    assert.equal(await next.act("subject", "a", "get"), 4);
    await next.close();
  });
});

describe("an actor whose host closes", () => {
  it("[HD-30] is put to sleep in order: what was not saved yet is", async () => {
    const scene = new Scene();
    const { promise, resolve } = withResolvers<void>();
    scene.run = async (c) => {
      await promise;
      (c.state as { count: number }).count = 7;
      await new Promise((ended) => c.signal.addEventListener("abort", ended));
    };
    await scene.act("get");
    resolve();
    await scene.rig.clock.settle();
    await scene.rig.close();
    assert.equal(scene.sleeps, 1);
    const rig = new Rig({ subject: reader }, { store: scene.rig.store });
    assert.equal(await rig.act("subject", "a", "get"), 7);
    await rig.close();
  });
});
