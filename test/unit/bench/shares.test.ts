import assert from "node:assert/strict";
import { it } from "node:test";
import { sharesOf } from "../../bench/shares.ts";

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url },
});

it("a profile is told by what ran once all was loaded, without what was idle", () => {
  const nodes = [
    node(1, "load", "node:internal/modules/esm/loader"),
    node(2, "(idle)", ""),
    node(3, "act", "file:///work/src/host/instance.ts"),
    node(4, "writev", ""),
    node(5, "send", "/work/node_modules/ws/lib/sender.js"),
    node(6, "(garbage collector)", ""),
  ];
  const samples = [3, 1, 2, 3, 4, 5, 6, 4];
  const { busyMs, functions, files } = sharesOf({
    nodes,
    samples,
    // Each stands before its sample, which holds until the next.
    timeDeltas: [7000, 7000, 7000, 7000, 5000, 2000, 2000, 1000],
    startTime: 0,
  });
  assert.equal(busyMs, 10);
  assert.deepEqual(functions.slice(0, 2), [
    { name: "act  src/host/instance.ts", share: 0.5 },
    { name: "writev  runtime", share: 0.2 },
  ]);
  const told = files.map(({ name, share }) => `${name} ${share}`).sort();
  assert.deepEqual(told, [
    "garbage 0.1",
    "runtime 0.2",
    "src/host/instance.ts 0.5",
    "ws/lib/sender.js 0.2",
  ]);
});

it("a profile is told from the moment on at which its process was ready, on whichever clock", () => {
  const ready = { monotonicUs: 5000, wallUs: 1.7e15 + 5000 };
  for (const startTime of [1000, 1.7e15 + 1000]) {
    const { functions } = sharesOf(
      {
        nodes: [node(1, "start", ""), node(2, "act", ""), node(3, "(idle)", "")],
        samples: [1, 1, 2, 3, 2],
        timeDeltas: [1000, 2000, 2000, 1000, 500],
        startTime,
      },
      ready,
    );
    assert.deepEqual(functions, [{ name: "act  runtime", share: 1 }]);
  }
});

it("a profile without samples of idle time has as much of each", () => {
  const { busyMs, functions } = sharesOf({
    nodes: [node(1, "send", ""), node(2, "parse", "")],
    samples: [1, 2, 2, 2],
    timeDeltas: [10, 900_000, 10, 10],
    startTime: 0,
  });
  assert.equal(busyMs, 1);
  assert.deepEqual(functions, [
    { name: "parse  runtime", share: 0.75 },
    { name: "send  runtime", share: 0.25 },
  ]);
});
