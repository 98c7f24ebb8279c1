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

/** How many send at once. */
const senders = [64, 1] as const;

/** Messages that are sent while fsync is counted take so long, milliseconds. */
const countMs = 1000;

/** Durable enqueue → handle → acknowledge, by durable tells and without the wire. */
export async function w9(run: Run): Promise<void> {
  const canTrace = hasTool("strace", "--seccomp-bpf", "-f", "-o", "/dev/null", "true");
  if (!canTrace) console.log("W9: no strace here, so no fsync count");
  for (const way of ways) {
    for (const inFlight of senders) {
      const variant = `${way.name} ${inFlight} sender${inFlight === 1 ? "" : "s"}`;
      if (run.wants(variant)) {
        await rate(run, way, variant, inFlight);
        if (canTrace) await fsyncs(run, way, variant, inFlight);
      }
      const remembering = `${variant}, remembering`;
      if (run.wants(remembering)) await rate(run, way, remembering, inFlight, true);
    }
  }
}

/** `remembers`: whether the baseline keeps answers, too. */
async function rate(
  run: Run,
  way: Way,
  variant: string,
  inFlight: number,
  remembers = false,
): Promise<void> {
  const folder = run.folder();
  const { profile } = run.options;
  const { script, kind } = way;
  const setup = setupIn(folder);
  const ours = await run.start({ script, core: 1, setup, profileTo: profile });
  const raw = await startRaw(run, folder, { core: 1, remembers });
  const shape = { inFlight, bytes: 64 };
  const drop = (load: ReturnType<typeof loadOf>) => async (warmUp: boolean) => {
    const { per_second = Number.NaN, p50 = Number.NaN, p99 = Number.NaN } = await load(warmUp);
    return { per_second, p50, p99 };
  };
  const mine = drop(loadOf(run, ours, { ...shape, kind }));
  await run.measure("W9", `${variant} (${raw.ready.binding})`, mine, drop(loadOf(run, raw, shape)));
}

/** Counts real calls of fsync and fdatasync; on runs of their own, since watching slows them down. */
async function fsyncs(run: Run, way: Way, variant: string, inFlight: number): Promise<void> {
  const folder = run.folder();
  const traceTo = join(folder, "ours.trace");
  const ours = await run.start({ script: way.script, setup: setupIn(folder), traceTo });
  const rawTrace = join(folder, "raw.trace");
  const raw = await startRaw(run, folder, { traceTo: rawTrace });
  const plan = { inFlight, bytes: 64, ms: countMs, kind: way.kind };
  const mine = await perMessage(ours, traceTo, plan);
  const theirs = await perMessage(raw, rawTrace, plan);
  const name = `${variant} (${raw.ready.binding})`;
  run.count("W9", name, "fsync_per_message", mine, theirs);
}

function setupIn(folder: string): MemoryNodesSetup {
  return { store: `file:${join(folder, "ours.db")}` };
}

interface RawOptions {
  readonly core?: number;
  readonly traceTo?: string;
  readonly remembers?: boolean;
}

/** The loop by hand; it tells the binding that our store takes on this runtime, too. */
function startRaw(
  run: Run,
  folder: string,
  { remembers = false, ...options }: RawOptions,
): Promise<WorkerProcess<{ readonly binding: string }>> {
  const setup = { file: join(folder, "raw.db"), remembers };
  return run.start({ script: "workers/raw_mailbox.ts", setup, ...options });
}

async function perMessage(worker: WorkerProcess, trace: string, plan: unknown): Promise<number> {
  const before = syncsIn(trace);
  const { calls } = await worker.ask<LoadResult>(plan);
  return (syncsIn(trace) - before) / calls;
}

/** Calls of fsync and fdatasync that `strace` has written down. */
export function syncsIn(trace: string): number {
  return readFileSync(trace, "utf8").match(/\b(fsync|fdatasync)\(/g)?.length ?? 0;
}
