import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../tools/root.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import { WorkerProcess } from "./worker_process.ts";

/** Start to ready, memory at rest, size of the package. */
export async function w10(run: Run): Promise<void> {
  if (run.wants("start")) await start(run);
  if (run.wants("package")) packed(run);
}

/** `ready` and `idle_rss` are above an empty script that is started in turns with ours. */
async function start(run: Run): Promise<void> {
  await run.measure("W10", "start", async () => {
    const empty = await startOnce(run, "workers/empty.ts", {});
    const store = `file:${join(run.folder(), "start.db")}`;
    const ours = await startOnce(run, "workers/start.ts", { store });
    const { ready, serve, rss } = ours;
    return {
      ready: ready - empty.ready,
      serve: serve ?? Number.NaN,
      idle_rss: (rss - empty.rss) / 2 ** 20,
    } satisfies Figures;
  });
}

interface Started {
  readonly ready: number;
  readonly rss: number;
  readonly serve: number | undefined;
}

async function startOnce(run: Run, script: string, setup: unknown): Promise<Started> {
  const began = performance.now();
  const { runtime } = run;
  await using worker = await WorkerProcess.start<{ serve?: number }>({ runtime, script, setup });
  const ready = performance.now() - began;
  const { rss } = await worker.ask<{ rss: number }>(null);
  return { ready, rss, serve: worker.ready.serve };
}

/** What npm would pack; the same for every runtime. */
function packed(run: Run): void {
  const told = execFileSync("npm", ["pack", "--dry-run", "--json"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The build that npm runs first may speak before the JSON begins.
  const [facts] = JSON.parse(told.slice(told.search(/^\[/m))) as [PackFacts];
  run.count("W10", "package", "package", facts.size / 1e6, null);
  run.count("W10", "package", "unpacked", facts.unpackedSize / 1e6, null);
  run.count("W10", "package", "files", facts.entryCount, null);
}

interface PackFacts {
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
}
