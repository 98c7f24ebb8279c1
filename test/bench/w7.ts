import { join } from "node:path";
import { startActors, storeIn } from "./actor_run.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import { quantile } from "./statistics.ts";
import type { WorkerProcess } from "./worker_process.ts";

const count = 2000;
/** How long before they are due they are all set, milliseconds. */
const aheadMs = 2000;
const spreadMs = 2000;
/** What late ones have until they are missing, milliseconds. */
const graceMs = 5000;

interface Fired {
  /** Milliseconds. */
  readonly late: readonly number[];
  readonly sinceReady: readonly number[];
}

/** Alarms of 2,000 actors: due at one time, spread over two seconds, and due while the process is away. */
export async function w7(run: Run): Promise<void> {
  const atOnce = `${count} at once`;
  const spread = `${count} in ${spreadMs / 1000} s`;
  if (run.wants(atOnce) || run.wants(spread)) {
    const host = await startActors(run);
    const setup = { file: join(run.folder(), "raw.db") };
    const script = "workers/raw_counter.ts";
    const raw = await run.start({ script, built: true, core: 0, setup });
    const measure = (variant: string, ms: number): Promise<void> =>
      run.measure(
        "W7",
        variant,
        () => ring(host, ms),
        () => ringBare(raw, ms),
      );
    if (run.wants(atOnce)) await measure(atOnce, 0);
    if (run.wants(spread)) await measure(spread, spreadMs);
  }
  const restart = `${count} across a restart`;
  if (run.wants(restart)) await run.measure("W7", restart, () => ringLater(run));
}

async function ring(host: WorkerProcess, spread: number): Promise<Figures> {
  await host.ask({ alarms: { count, inMs: aheadMs, spreadMs: spread } });
  const { late } = await host.ask<Fired>({ fired: wait(aheadMs + spread) });
  return figuresOf(late);
}

/** Timers of the runtime, which are on no disk, with a commit for each. */
async function ringBare(raw: WorkerProcess, spread: number): Promise<Figures> {
  const late = await raw.ask<number[]>({ alarms: { count, inMs: aheadMs, spreadMs: spread } });
  return figuresOf(late);
}

/** They become due while nobody is there; late is what comes later than the next process is ready. */
async function ringLater(run: Run): Promise<Figures> {
  const store = storeIn(run);
  const first = await startActors(run, store);
  const dueAt = await first.ask<number>({ alarms: { count, inMs: aheadMs, spreadMs: 0 } });
  await first.ask({ die: true }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - Date.now())));
  const next = await startActors(run, store);
  const { sinceReady } = await next.ask<Fired>({ fired: wait(0) });
  await next[Symbol.asyncDispose]();
  return figuresOf(sinceReady);
}

function wait(ms: number): { readonly count: number; readonly waitMs: number } {
  return { count, waitMs: ms + graceMs };
}

function figuresOf(ms: readonly number[]): Figures {
  const sorted = Float64Array.from(ms).sort();
  return {
    late_p50: quantile(sorted, 0.5),
    late_p99: quantile(sorted, 0.99),
    missing: count - sorted.length,
  };
}
