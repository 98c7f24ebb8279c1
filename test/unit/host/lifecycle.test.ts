import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Admission,
  type AlarmAdmission,
  admitAlarm,
  admitStop,
  admitWork,
  after,
  type InstanceState,
  type LifecycleEvent,
  type StopAdmission,
} from "../../../src/host/lifecycle.ts";

type Row<Value> = readonly [state: InstanceState, value: Value];

/** `spec/actor-host.md` §3.2, with a state of its own for the start (D10). */
const moves: readonly Row<Readonly<Partial<Record<LifecycleEvent, InstanceState>>>>[] = [
  ["loading", { start: "starting", failed: "terminated" }],
  ["starting", { ready: "started", failed: "terminated" }],
  ["started", { stop_sleep: "sleep_grace", stop_destroy: "destroy_grace", failed: "terminated" }],
  [
    "sleep_grace",
    { stop_destroy: "destroy_grace", drained: "sleep_finalize", failed: "terminated" },
  ],
  ["sleep_finalize", { finished: "terminated", failed: "terminated" }],
  ["destroy_grace", { drained: "destroying", failed: "terminated" }],
  ["destroying", { finished: "terminated", failed: "terminated" }],
  ["terminated", {}],
];

const events: readonly LifecycleEvent[] = [
  "start",
  "ready",
  "stop_sleep",
  "stop_destroy",
  "drained",
  "finished",
  "failed",
];

/** §3.4. */
const work: readonly Row<Admission>[] = [
  ["loading", "wait"],
  ["starting", "wait"],
  ["started", "accept"],
  ["sleep_grace", "accept"],
  ["sleep_finalize", "actor.stopping"],
  ["destroy_grace", "actor.stopping"],
  ["destroying", "actor.destroying"],
  ["terminated", "actor.destroying"],
];

/** §3.3. */
const stops: readonly Row<{ readonly sleep: StopAdmission; readonly destroy: StopAdmission }>[] = [
  ["loading", { sleep: "after_start", destroy: "after_start" }],
  ["starting", { sleep: "after_start", destroy: "after_start" }],
  ["started", { sleep: "begin", destroy: "begin" }],
  ["sleep_grace", { sleep: "join", destroy: "escalate" }],
  ["sleep_finalize", { sleep: "join", destroy: "after_stop" }],
  ["destroy_grace", { sleep: "join", destroy: "join" }],
  ["destroying", { sleep: "join", destroy: "join" }],
  ["terminated", { sleep: "done", destroy: "done" }],
];

const alarms: readonly Row<AlarmAdmission>[] = [
  ["loading", "wait"],
  ["starting", "wait"],
  ["started", "run"],
  ["sleep_grace", "deferred"],
  ["sleep_finalize", "deferred"],
  ["destroy_grace", "deferred"],
  ["destroying", "deferred"],
  ["terminated", "deferred"],
];

describe("the lifecycle of an actor", () => {
  describe("moves from state to state", () => {
    for (const [state, ways] of moves) {
      it(`${state}: ${Object.keys(ways).join(", ") || "nowhere"}`, () => {
        for (const event of events) assert.equal(after(state, event), ways[event], event);
      });
    }
  });

  describe("[HD-20] lets work in by one table", () => {
    for (const [state, admission] of work) {
      it(`${state}: ${admission}`, () => assert.equal(admitWork(state, false), admission));
      it(`${state}, to be destroyed: actor.destroying`, () =>
        assert.equal(admitWork(state, true), "actor.destroying"));
    }
  });

  describe("takes a stop", () => {
    for (const [state, { sleep, destroy }] of stops) {
      it(`${state}: sleep ${sleep}, destroy ${destroy}`, () => {
        assert.equal(admitStop(state, "sleep"), sleep);
        assert.equal(admitStop(state, "destroy"), destroy);
      });
    }
  });

  describe("takes an alarm", () => {
    for (const [state, admission] of alarms) {
      it(`${state}: ${admission}`, () => assert.equal(admitAlarm(state), admission));
    }
  });
});
