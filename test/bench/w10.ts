import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../tools/root.ts";
import type { Run } from "./run.ts";
import { WorkerProcess } from "./worker_process.ts";

/** Start to ready, memory at rest, size of the package. */
export async function w10(run: Run): Promise<void> {
  const { runtime } = run;
  if (run.wants("start")) {
    const script = "workers/start.ts";
    await start(run, "start", script, (store) => ({ store }), "workers/empty.ts");
  }
  if (!(run.wants("package") || run.wants("built")) || !packed(run)) return;
  const script = "workers/built.mjs";
  if (run.wants("built")) {
    await start(run, "built start", script, (store) => ({ store, runtime }), script);
  }
}

/** `ready` and `idle_rss` are above an empty script that is started in turns with ours. */
async function start(
  run: Run,
  variant: string,
  script: string,
  setup: (store: string) => unknown,
  emptyScript: string,
): Promise<void> {
  await run.measure("W10", variant, async () => {
    const empty = await startOnce(run, emptyScript, {});
    const { ready, serve, rss } = await startOnce(
      run,
      script,
      setup(`file:${join(run.folder(), "start.db")}`),
    );
    return { ready: ready - empty.ready, serve, idle_rss: (rss - empty.rss) / 2 ** 20 };
  });
}

interface Started {
  readonly ready: number;
  readonly rss: number;
  /** NaN where nothing was served. */
  readonly serve: number;
}

async function startOnce(run: Run, script: string, setup: unknown): Promise<Started> {
  const began = performance.now();
  const { runtime } = run;
  await using worker = await WorkerProcess.start<{ serve?: number }>({ runtime, script, setup });
  const ready = performance.now() - began;
  const { rss } = await worker.ask<{ rss: number }>(null);
  return { ready, rss, serve: worker.ready.serve ?? Number.NaN };
}

/** What npm would pack, after it has built it; false when it does not build. The same for every runtime. */
function packed(run: Run): boolean {
  const facts = pack();
  if (facts === undefined) {
    console.log("W10: the package does not build, see `npm run build`; nothing to measure of it");
    return false;
  }
  run.count("W10", "package", "package", facts.size / 1e6, null);
  run.count("W10", "package", "unpacked", facts.unpackedSize / 1e6, null);
  run.count("W10", "package", "files", facts.entryCount, null);
  return true;
}

interface PackFacts {
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
}

function pack(): PackFacts | undefined {
  try {
    const told = execFileSync("npm", ["pack", "--dry-run", "--json"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    // The build that npm runs first may speak before the JSON begins.
    const [facts] = JSON.parse(told.slice(told.search(/^\[/m))) as [PackFacts];
    return facts;
  } catch {
    return undefined;
  }
}
