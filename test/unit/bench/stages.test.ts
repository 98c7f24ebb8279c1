import assert from "node:assert/strict";
import { it } from "node:test";
import { type ProfileNode, timesOf } from "../../bench/stages.ts";

const frame = (functionName: string, url = ""): ProfileNode["callFrame"] => ({ functionName, url });

it("the time of a profile goes to the stage of its file, or of whoever called it", () => {
  const src = "file:///work/src";
  const nodes: ProfileNode[] = [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 5, 8] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("(garbage collector)") },
    { id: 4, callFrame: frame("onStreamRead", "node:internal/stream_base_commons") },
    { id: 5, callFrame: frame("receive", `${src}/inbound/gate.ts`), children: [6, 7] },
    { id: 6, callFrame: frame("decode", `${src}/protocol/envelope.ts`) },
    { id: 7, callFrame: frame("push") },
    { id: 8, callFrame: frame("stop", "file:///work/test/bench/profiler.ts"), children: [9] },
    { id: 9, callFrame: frame("dispatch") },
  ];
  const samples = [2, 3, 4, 5, 6, 7, 9];
  const times = timesOf({ nodes, samples, timeDeltas: [1, 2, 4, 8, 16, 32, 64] });
  const told = Object.entries(times).filter(([, time]) => time > 0);
  assert.deepEqual(Object.fromEntries(told), { codec: 16, gate: 8 + 32, link: 4, garbage: 2 });
});
