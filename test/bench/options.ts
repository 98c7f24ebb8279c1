import { parseArgs } from "node:util";

/** What a run of the benchmarks was asked for. */
export interface BenchOptions {
  /** Benchmarks by name, `W8`; all when none is named. */
  readonly names: readonly string[];
  readonly runtimes: readonly string[];
  /** File that gets one JSON object per figure. */
  readonly json: string | undefined;
  /** Length of one round. */
  readonly seconds: number;
  readonly rounds: number;
  /** Only variants whose name contains this. */
  readonly variant: string;
  /** Folder for CPU profiles of our processes. */
  readonly profile: string | undefined;
}

export const usage = `npm run bench -- [W1 … W12] [--runtime all|node,node24,deno,bun] [--json FILE]
  [--seconds 0.5] [--rounds 5] [--variant TEXT] [--profile FOLDER]`;

const runtimeNames = ["node", "node24", "deno", "bun"];

/** Reads the command line. @throws TypeError for what it does not know. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runtime: { type: "string", default: "node" },
      json: { type: "string" },
      seconds: { type: "string", default: "0.5" },
      rounds: { type: "string", default: "5" },
      variant: { type: "string", default: "" },
      profile: { type: "string" },
    },
  });
  const { runtime, json, variant, profile } = values;
  const runtimes = runtime === "all" ? runtimeNames : runtime.split(",");
  if (!runtimes.every((one) => runtimeNames.includes(one))) {
    throw new TypeError(`--runtime ${runtime}: name some of node,node24,deno,bun, or all`);
  }
  return {
    names: positionals.map((name) => name.toUpperCase()),
    runtimes,
    json,
    seconds: positive("seconds", values.seconds),
    rounds: Math.ceil(positive("rounds", values.rounds)),
    variant,
    profile,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1000) return value;
  throw new TypeError(`--${name} ${text}: give a number above 0 and below 1000`);
}
