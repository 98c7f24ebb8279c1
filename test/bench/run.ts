import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LaunchOptions } from "./launch.ts";
import type { LoadPlan } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import type { Report } from "./report.ts";
import { compareRounds, type Figures } from "./rounds.ts";
import { WorkerProcess } from "./worker_process.ts";

/** How long a warming round is, milliseconds: what compilers take. */
const warmUpMs = 1000;

/** One run of a benchmark on one runtime: its processes, folders and figures; all gone at its end. */
export class Run implements AsyncDisposable {
  readonly options: BenchOptions;
  readonly runtime: string;
  readonly #report: Report;
  readonly #cleanUp: (() => Promise<void> | void)[] = [];

  constructor(options: BenchOptions, runtime: string, report: Report) {
    this.options = options;
    this.runtime = runtime;
    this.#report = report;
  }

  /** Whether a variant was asked for. */
  wants(variant: string): boolean {
    return variant.includes(this.options.variant);
  }

  /** Starts a process that ends with the run, on the runtime that is measured unless it names another. */
  async start<Ready>(
    options: Omit<LaunchOptions, "runtime"> & { readonly runtime?: string },
  ): Promise<WorkerProcess<Ready>> {
    const worker = await WorkerProcess.start<Ready>({ runtime: this.runtime, ...options });
    this.#cleanUp.push(() => worker[Symbol.asyncDispose]());
    return worker;
  }

  /** A new folder that goes with the run. */
  folder(): string {
    const path = mkdtempSync(join(tmpdir(), "roost-bench-"));
    this.#cleanUp.push(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** How long one load of `plan` lasts. */
  plan(plan: Omit<LoadPlan, "ms">, warmUp: boolean): LoadPlan {
    return { ...plan, ms: warmUp ? warmUpMs : this.options.seconds * 1000 };
  }

  /** Measures one variant against its baseline and reports it. */
  async measure(
    w: string,
    variant: string,
    ours: (warmUp: boolean) => Promise<Figures>,
    baseline?: (warmUp: boolean) => Promise<Figures>,
  ): Promise<void> {
    const figures = await compareRounds(this.options.rounds, ours, baseline);
    this.#report.add(w, variant, this.runtime, figures);
  }

  /** Reports one figure that is counted once. */
  count(w: string, variant: string, metric: string, value: number, baseline: number | null): void {
    const ratio = baseline === null ? null : value / baseline;
    this.#report.add(w, variant, this.runtime, { [metric]: { value, baseline, ratio } });
  }

  /** Says why something is not measured. */
  skip(variant: string, reason: string): void {
    console.log(`${variant} on ${this.runtime}: not measured, ${reason}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#cleanUp.reverse()) await end();
  }
}
