import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasTool } from "./launch.ts";
import type { LoadResult } from "./load.ts";
import type { MemoryNodesSetup } from "./memory_nodes.ts";
import type { Run } from "./run.ts";
import { loadOf } from "./w8.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** A way into the mailbox. */
interface Way {
  readonly name: string;
  readonly script: string;
  readonly kind: string;
}

const ways: readonly Way[] = [
  { name: "tell", script: "workers/memory.ts", kind: "tell" },
  { name: "gate", script: "workers/gate.ts", kind: "tell" },
];

/** Messages that are sent while fsync is counted take so long, milliseconds. */
const countMs = 1000;

/** Durable enqueue → handle → acknowledge, by durable tells and without the wire. */
export async function w9(run: Run): Promise<void> {
  const canTrace = hasTool("strace", "--seccomp-bpf", "-f", "-o", "/dev/null", "true");
  if (!canTrace) console.log("W9: no strace here, so no fsync count");
  for (const way of ways) {
    for (const inFlight of [64, 1]) {
      const variant = `${way.name} ${inFlight} sender${inFlight === 1 ? "" : "s"}`;
      if (!run.wants(variant)) continue;
      await rate(run, way, variant, inFlight);
      if (canTrace) await fsyncs(run, way, variant, inFlight);
    }
  }
}

async function rate(run: Run, way: Way, variant: string, inFlight: number): Promise<void> {
  const folder = run.folder();
  const { profile } = run.options;
  const { script, kind } = way;
  const setup = setupIn(folder);
  const ours = await run.start({ script, core: 1, setup, profileTo: profile });
  const raw = await run.start({
    script: "workers/raw_mailbox.ts",
    core: 1,
    setup: { file: join(folder, "raw.db") },
  });
  const shape = { inFlight, bytes: 64 };
  const drop = (load: ReturnType<typeof loadOf>) => async (warmUp: boolean) => {
    const { per_second = Number.NaN, p50 = Number.NaN, p99 = Number.NaN } = await load(warmUp);
    return { per_second, p50, p99 };
  };
  const mine = drop(loadOf(run, ours, { ...shape, kind }));
  await run.measure("W9", variant, mine, drop(loadOf(run, raw, shape)));
}

/** Counts real calls of fsync and fdatasync; on runs of their own, since watching slows them down. */
async function fsyncs(run: Run, way: Way, variant: string, inFlight: number): Promise<void> {
  const folder = run.folder();
  const traceTo = join(folder, "ours.trace");
  const ours = await run.start({ script: way.script, setup: setupIn(folder), traceTo });
  const rawTrace = join(folder, "raw.trace");
  const raw = await run.start({
    script: "workers/raw_mailbox.ts",
    setup: { file: join(folder, "raw.db") },
    traceTo: rawTrace,
  });
  const plan = { inFlight, bytes: 64, ms: countMs, kind: way.kind };
  const mine = await perMessage(ours, traceTo, plan);
  const theirs = await perMessage(raw, rawTrace, plan);
  run.count("W9", variant, "fsync_per_message", mine, theirs);
}

function setupIn(folder: string): MemoryNodesSetup {
  return { store: `file:${join(folder, "ours.db")}` };
}

async function perMessage(worker: WorkerProcess, trace: string, plan: unknown): Promise<number> {
  const before = syncsIn(trace);
  const { calls } = await worker.ask<LoadResult>(plan);
  return (syncsIn(trace) - before) / calls;
}

function syncsIn(trace: string): number {
  return readFileSync(trace, "utf8").match(/\b(fsync|fdatasync)\(/g)?.length ?? 0;
}
