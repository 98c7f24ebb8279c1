import { median } from "./statistics.ts";

/** Figures of one round, by metric. */
export type Figures = Readonly<Record<string, number>>;

/** One metric over all rounds. */
export interface Compared {
  /** Median over the rounds. */
  readonly value: number;
  readonly baseline: number | null;
  /** Median of the ratios of the rounds, each taken against the baseline's round beside it. */
  readonly ratio: number | null;
}

/** Runs ours and the baseline in turns, A B A B, after one short round of each to warm up. */
export async function compareRounds(
  rounds: number,
  ours: (warmUp: boolean) => Promise<Figures>,
  baseline?: (warmUp: boolean) => Promise<Figures>,
): Promise<Readonly<Record<string, Compared>>> {
  await ours(true);
  await baseline?.(true);
  const mine: Figures[] = [];
  const raw: Figures[] = [];
  for (let round = 0; round < rounds; round += 1) {
    mine.push(await ours(false));
    if (baseline !== undefined) raw.push(await baseline(false));
  }
  const metrics = Object.keys(mine[0] ?? {});
  return Object.fromEntries(metrics.map((metric) => [metric, compare(metric, mine, raw)]));
}

function compare(metric: string, mine: readonly Figures[], raw: readonly Figures[]): Compared {
  const of = (figures: readonly Figures[]): number[] =>
    figures.map((round) => round[metric] ?? Number.NaN);
  const value = median(of(mine));
  if (raw[0]?.[metric] === undefined) return { value, baseline: null, ratio: null };
  const ratios = of(mine).map((one, round) => one / (of(raw)[round] ?? Number.NaN));
  return { value, baseline: median(of(raw)), ratio: median(ratios) };
}
