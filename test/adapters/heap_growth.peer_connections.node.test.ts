import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { growthPercent } from "../../adapters/wrtc/heap_growth.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const bounds = { timeout: 60_000, skip: (await whyMissing("wrtc")) ?? false };
const program = fileURLToPath(new URL("../fixtures/heap_growth.ts", import.meta.url));
const megabyte = 1_048_576;

interface Told {
  readonly first: number[];
  readonly second: number[];
  readonly small: number[];
  readonly large: number[];
}

async function told(flags: readonly string[], ...args: readonly string[]): Promise<Told> {
  const line = ["--import", "tsx", ...flags, program, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, line, { timeout: 50_000 });
  const { first, second, small, large } = JSON.parse(stdout) as Told;
  return { first, second, small, large };
}

it("a heap grows by 64 MB between collections of all, by three times at most, and as V8 has it once it is large", () => {
  const percents = [1, 16, 32, 64, 127, 128, 1_000].map((size) => growthPercent(size * megabyte));
  assert.deepEqual(percents, [300, 300, 200, 100, 50, 0, 0]);
});

it(
  "the first WebRTC connection lets the heap grow, each collection looks at it again",
  bounds,
  async () => {
    const { first, second, small, large } = await told([], "collect");
    for (const [percent = 0, ...more] of [first, small]) {
      assert.ok(percent > 100, `${percent}`);
      assert.deepEqual(more, []);
    }
    assert.deepEqual({ second, large }, { second: [], large: [0] });
  },
);

it("a growth that Node was started with is left alone", bounds, async () => {
  for (const flag of ["--heap_growing_percent=50", "--heap-growing-percent=50"]) {
    const { first, second } = await told([flag]);
    assert.deepEqual([first, second], [[], []], flag);
  }
});
