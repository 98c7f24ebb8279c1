import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { Watches } from "../../../src/host/inspection/watches.ts";
import { Kinds } from "../../../src/host/kinds.ts";
import { Seats } from "../../../src/host/seats.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { Rig } from "./support.ts";

/** An actor whose start and whose work last until the test says. */
class Scene {
  started = withResolvers<void>();
  readonly worked = withResolvers<void>();
  readonly rig: Rig;
  readonly subject = actor({
    onWake: () => this.started.promise,
    actions: {
      id: (c) => c.actorId,
      work: () => this.worked.promise,
    },
  });

  constructor(maxAwake: number) {
    this.started.resolve();
    this.rig = new Rig({ subject: this.subject }, { maxAwake });
  }

  /** Keys of those that are awake. */
  awake(seats: Pick<Seats, "awake">): string[] {
    return [...seats.awake.values()].map(({ key }) => String(key));
  }

  /** Seats beside those of the host, on the same store. */
  seats(maxAwake: number): Seats {
    const { host } = this.rig;
    const kinds = new Kinds({ subject: this.subject });
    return new Seats({ owner: host, kinds, watches: new Watches(host.components), maxAwake });
  }
}

const target = (key: string) => ({ name: "subject", key: [key], create: { input: undefined } });

describe("actors that are awake", () => {
  it("are made to sleep, the one that rested longest first, and no more of them than are too many", async () => {
    const scene = new Scene(2);
    const seats = scene.seats(2);
    const { promise, resolve } = withResolvers<void>();
    for (const key of ["a", "b", "c", "d"]) {
      const { context } = await seats.wake(target(key));
      void context.keepAwake(promise);
    }
    assert.deepEqual(scene.awake(seats), ["a", "b", "c", "d"]);
    resolve();
    await scene.rig.clock.settle();
    await seats.wake(target("e"));
    await scene.rig.clock.settle();
    assert.deepEqual(scene.awake(seats), ["d", "e"]);
    // As many as may be: nobody else has to go.
    await seats.wake(target("d"));
    await scene.rig.clock.settle();
    assert.deepEqual(scene.awake(seats), ["d", "e"]);
    await seats.sleep();
  });

  it("stay awake, however many, while they have something to do; the latest stays too", async () => {
    const scene = new Scene(1);
    const seats = scene.seats(1);
    const { promise, resolve } = withResolvers<void>();
    const { context } = await seats.wake(target("a"));
    void context.keepAwake(promise);
    await seats.wake(target("b"));
    await scene.rig.clock.settle();
    assert.deepEqual(scene.awake(seats), ["a", "b"]);
    assert.equal(context.signal.aborted, false);
    resolve();
    await scene.rig.clock.settle();
    await seats.wake(target("c"));
    await scene.rig.clock.settle();
    assert.deepEqual(scene.awake(seats), ["c"]);
    await seats.sleep();
  });
});

describe("an actor that is to end while it starts", () => {
  it("ends though this start was dropped meanwhile: it is woken once more for that", async () => {
    const scene = new Scene(10);
    const seats = scene.seats(10);
    const { id } = await seats.wake(target("a"));
    await seats.stop(id, "sleep");
    scene.started = withResolvers();
    const waking = seats.wake({ id });
    await scene.rig.clock.settle();
    seats.drop(new ActrError("storage", "what is in memory cannot be trusted"));
    const ended = seats.stop(id, "destroy");
    scene.started.resolve();
    await ended;
    assert.equal(await seats.idOf("subject", ["a"]), undefined);
    await assert.rejects(seats.wake({ id }), { code: "actor.not_found" });
    await waking;
  });
});
