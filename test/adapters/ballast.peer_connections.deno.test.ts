import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { takeBallast } from "../../adapters/wrtc/ballast.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const bounds = { timeout: 60_000, skip: (await whyMissing("wrtc")) ?? false };
const program = fileURLToPath(new URL("../fixtures/ballast.ts", import.meta.url));
const megabyte = 1_048_576;

interface Change {
  readonly external: number;
  readonly rss: number;
}

interface Told {
  readonly limit: number;
  readonly first: Change;
  readonly second: Change;
}

async function told(...flags: readonly string[]): Promise<Told> {
  const line = ["run", "-A", "--no-check", ...flags, program];
  const { stdout } = await promisify(execFile)(process.execPath, line, { timeout: 50_000 });
  return JSON.parse(stdout) as Told;
}

it(
  "the first WebRTC connection on Deno holds 256 MB that are never touched, less where the heap is small",
  bounds,
  async () => {
    for (const flags of [
      ["--v8-flags=--max-old-space-size=3000"],
      ["--v8-flags=--max-old-space-size=200"],
    ]) {
      const { limit, first, second } = await told(...flags);
      const held = Math.min(256 * megabyte, limit / 8);
      assert.ok(Math.abs(first.external - held) < 4 * megabyte, `${first.external} of ${held}`);
      assert.ok(first.rss < held / 2, `${first.rss}`);
      assert.ok(Math.abs(second.external) < 4 * megabyte, `${second.external}`);
    }
  },
);

it("where the system refuses that much it is asked once, and connections go on", () => {
  const Real = globalThis.ArrayBuffer;
  const asked: number[] = [];
  globalThis.ArrayBuffer = class extends Real {
    constructor(bytes: number) {
      if (bytes > megabyte) asked.push(bytes);
      if (bytes > megabyte) throw new RangeError("Array buffer allocation failed");
      super(bytes);
    }
  } as typeof Real;
  try {
    takeBallast();
    takeBallast();
  } finally {
    globalThis.ArrayBuffer = Real;
  }
  assert.equal(asked.length, 1);
});
