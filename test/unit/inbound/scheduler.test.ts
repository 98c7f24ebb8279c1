import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Desk } from "./scheduler_desk.ts";

const job = (name: string, key?: string) => ({ name, key });

describe("scheduler", () => {
  it("[N-103] same key: job 2 does not start until job 1 completes; in order", async () => {
    const desk = new Desk();
    desk.arrive(job("a1", "a"), job("a2", "a"), job("a3", "a"));
    assert.deepEqual(desk.running, ["a1"]);
    await desk.end("a1");
    assert.deepEqual(desk.running, ["a2"]);
    await desk.end("a2");
    await desk.end("a3");
    assert.deepEqual(desk.events, ["+a1", "-a1", "+a2", "-a2", "+a3", "-a3"]);
  });

  it("[N-104] distinct keys: b completes while a is blocked", async () => {
    const desk = new Desk();
    desk.arrive(job("a", "a"), job("b", "b"));
    await desk.end("b");
    assert.deepEqual(desk.running, ["a"]);
  });

  it("[N-105] budget 2: the third job waits for a free slot", async () => {
    const desk = new Desk({ budget: 2 });
    desk.arrive(job("a", "a"), job("b", "b"), job("c", "c"));
    assert.deepEqual(desk.running, ["a", "b"]);
    await desk.end("b");
    assert.deepEqual(desk.running, ["a", "c"]);
  });

  it("[N-106] a job without a key waits for a running one, blocks new ones, runs alone, then they go on", async () => {
    const desk = new Desk();
    desk.arrive(job("a", "a"), job("alone"), job("b", "b"));
    assert.deepEqual(desk.running, ["a"]);
    await desk.end("a");
    assert.deepEqual(desk.running, ["alone"]);
    await desk.end("alone");
    assert.deepEqual(desk.running, ["b"]);
  });

  it("[ND-27] a stream of jobs without keys neither starves others nor overtakes them", async () => {
    const desk = new Desk();
    desk.arrive(job("a1", "a"), job("a2", "a"), job("x1"), job("b", "b"), job("x2"), job("x3"));
    for (const name of ["a1", "a2", "x1", "b", "x2", "x3"]) {
      assert.deepEqual(desk.running, [name]);
      await desk.end(name);
    }
  });

  it("[N-107] capacity 2: the third job stays where it is until one completes", async () => {
    const desk = new Desk({ budget: 2, capacity: 2 });
    desk.arrive(job("a1", "a"), job("a2", "a"), job("b", "b"));
    assert.deepEqual(desk.running, ["a1"]);
    assert.equal(desk.queued, 1);
    await desk.end("a1");
    assert.deepEqual(desk.running, ["a2", "b"]);
  });

  it("goes on when a job fails", async () => {
    const desk = new Desk();
    desk.arrive(job("a1", "a"), job("a2", "a"), job("x"), job("b", "b"));
    await desk.end("a1", new Error("broken"));
    await desk.end("a2", new Error("broken"));
    await desk.end("x", new Error("broken"));
    assert.deepEqual(desk.running, ["b"]);
  });

  it("takes nothing that could not run: what is next is decided late", () => {
    const desk = new Desk({ budget: 1 });
    desk.arrive(job("a", "a"), job("b", "b"));
    assert.equal(desk.queued, 1);
    const other = new Desk();
    other.arrive(job("x"), job("y"), job("a", "a"));
    assert.equal(other.queued, 2);
  });

  it("a job that waits for others lends its place to urgent ones", async () => {
    const { scheduler, ...desk } = Object.assign(new Desk({ budget: 1 }));
    assert.ok(desk);
    scheduler.submit(job("a", "a"), "a");
    assert.equal(scheduler.appetite, "none");
    scheduler.lend();
    assert.equal(scheduler.appetite, "urgent");
    scheduler.submit(job("b", "b"), "b");
    assert.equal(scheduler.running, 2);
    assert.equal(scheduler.appetite, "none");
    scheduler.resume();
    assert.equal(scheduler.appetite, "none");
  });

  it("tells who would have to be waited for", () => {
    const { scheduler } = new Desk();
    const blockers = (key?: string): string[] =>
      [...scheduler.blockers(key)].map(({ name }) => name);
    scheduler.submit(job("a", "a"), "a");
    scheduler.submit(job("b", "b"), "b");
    assert.deepEqual(blockers("a"), ["a"]);
    assert.deepEqual(blockers("c"), []);
    assert.deepEqual(blockers(), ["a", "b"]);
    scheduler.submit(job("x"), undefined);
    assert.deepEqual(blockers("c"), ["a", "b"], "the one that is to run alone waits for them");
  });

  it("gives back what does not run yet", () => {
    const { scheduler } = new Desk();
    for (const one of [job("a1", "a"), job("a2", "a"), job("b1", "b"), job("b2", "b"), job("x")]) {
      scheduler.submit(one, one.key);
    }
    assert.equal(scheduler.waiting, 3);
    const left = scheduler.clear();
    assert.deepEqual(
      left.map(({ name }) => name),
      ["a2", "b2", "x"],
    );
    assert.equal(scheduler.waiting, 0);
    assert.equal(scheduler.running, 2);
  });
});
