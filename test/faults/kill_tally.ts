import { type KillTime, killPoints } from "./kill_switch.ts";
import type { VictimEnd } from "./victim.ts";

/** Every way to die, that from outside first. */
export const killTimes: readonly KillTime[] = ["any time", ...killPoints];

/** What came of a number of kills. */
export interface Tally {
  /** Processes that truly died, by where. */
  readonly kills: Record<KillTime, number>;
  /** Rows or requests that were acknowledged. */
  acknowledged: number;
  /** Claimed rows that a process left to the one after it. */
  redelivered: number;
  /** Acknowledged, and gone or without effect. */
  lost: number;
  /** With more than one effect, or another answer to the same request. */
  twice: number;
  /** Rows that nobody holds and nobody gets. */
  stuck: number;
  /** Torn rows, and what the check of the database found. */
  corrupt: number;
}

/** What must be 0. */
const faults = ["lost", "twice", "stuck", "corrupt"] as const;

const sums = ["acknowledged", "redelivered", ...faults] as const;

/** A tally of nothing. */
export function emptyTally(): Tally {
  const kills = Object.fromEntries(killTimes.map((time) => [time, 0])) as Tally["kills"];
  return { kills, acknowledged: 0, redelivered: 0, lost: 0, twice: 0, stuck: 0, corrupt: 0 };
}

/** Adds `tally` to `sum`. */
export function addTally(sum: Tally, tally: Tally): void {
  for (const time of killTimes) sum.kills[time] += tally.kills[time];
  for (const column of sums) sum[column] += tally[column];
}

/** Counts how a process ended, if it was killed; whether it was. */
export function countKill({ kills }: Tally, end: VictimEnd): boolean {
  if (end === "stopped" || end === "lost its store") return false;
  kills[end] += 1;
  return true;
}

/** Processes killed, wherever. */
export function killsIn({ kills }: Tally): number {
  return killTimes.reduce((sum, time) => sum + kills[time], 0);
}

/** What went wrong; 0 when all is well. */
export function faultsIn(tally: Tally): number {
  return faults.reduce((sum, fault) => sum + tally[fault], 0);
}

/** Tallies by name as a table, with their sum as last line. */
export function formatTallies(tallies: ReadonlyMap<string, Tally>): string {
  const total = emptyTally();
  for (const tally of tallies.values()) addTally(total, tally);
  const heads = ["kills at:", ...killTimes, "all", ...sums];
  const rows = [...tallies, ["all", total] as const].map(([name, tally]) => [
    name,
    ...killTimes.map((time) => String(tally.kills[time])),
    String(killsIn(tally)),
    ...sums.map((column) => String(tally[column])),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return [heads, ...rows].map(line).join("\n");
}
