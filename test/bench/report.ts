import { appendFileSync } from "node:fs";
import type { Compared } from "./rounds.ts";
import { judge } from "./targets.ts";

/** One measured figure, as `--json` writes it. */
export interface Row {
  /** `W8`. */
  readonly w: string;
  readonly variant: string;
  readonly runtime: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The same of the raw baseline, where there is one. */
  readonly baseline: number | null;
  /** `value / baseline`. */
  readonly ratio: number | null;
  /** What has to be reached on Node, in words; null where nothing has. */
  readonly target: string | null;
  readonly met: boolean | null;
}

const units: Readonly<Record<string, string>> = {
  p50: "us",
  p99: "us",
  per_second: "1/s",
  mb_per_second: "MB/s",
  cpu: "us",
  rss: "MB",
  per_connection: "KB",
  fsync_per_message: "1",
  fsync_per_call: "1",
  lost: "1",
  missing: "1",
  restart: "ms",
  above_warm: "ms",
  late_p50: "ms",
  late_p99: "ms",
  live: "KB",
  asleep: "KB",
  delivered_per_second: "1/s",
  ready: "ms",
  serve: "ms",
  idle_rss: "MB",
  package: "MB",
  unpacked: "MB",
  files: "1",
  installed: "MB",
};

/** Collects the figures of a run: prints a line for each when it comes, appends it to a file. */
export class Report {
  readonly #json: string | undefined;

  constructor(json: string | undefined) {
    this.#json = json;
  }

  /** Takes in the figures of one variant. */
  add(
    w: string,
    variant: string,
    runtime: string,
    figures: Readonly<Record<string, Compared>>,
  ): void {
    for (const [metric, { value, baseline, ratio }] of Object.entries(figures)) {
      const unit = units[metric] ?? (metric.endsWith("_us") ? "us" : "");
      const row = { w, variant, runtime, metric, value, unit, baseline, ratio };
      this.#write({ ...row, ...judge(row) });
    }
  }

  /** The names of the columns. */
  header(): void {
    print(["W", "variant", "runtime", "metric", "ours", "baseline", "ratio", "target"]);
  }

  #write(row: Row): void {
    const verdict = row.target === null ? "" : `${row.target}: ${row.met ? "met" : "NOT met"}`;
    const { w, variant, runtime, metric } = row;
    const figures = [`${short(row.value)} ${row.unit}`, short(row.baseline), short(row.ratio)];
    print([w, variant, runtime, metric, ...figures, verdict]);
    if (this.#json !== undefined) appendFileSync(this.#json, `${JSON.stringify(row)}\n`);
  }
}

const widths = [4, 43, 6, 18, 14, 9, 7, 0];

function print(cells: readonly string[]): void {
  const padded = cells.map((cell, column) =>
    column < 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  );
  console.log(padded.join("  ").trimEnd());
}

/** Four digits are more than a shared machine can tell apart. */
function short(value: number | null): string {
  if (value === null) return "-";
  if (Math.abs(value) >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(4)));
}
