/** The part of a CPU profile that is read, as the inspectors of V8 and of Bun write it. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the functions that were running. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
  /** Of the machine's monotonic clock, or on Bun of the wall clock, microseconds. */
  readonly startTime: number;
}

/** One moment, on both clocks. */
export interface Moment {
  readonly monotonicUs: number;
  readonly wallUs: number;
}

/** Microseconds between two samples. */
export const intervalUs = 250;
/** No monotonic clock of a machine reaches it. */
const leastWallUs = 1e15;

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

/** What part of the busy time something took by itself. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** A profile by what ran, the longest first; without what was idle, and without the start, until the process was `ready` or its last module loaded. */
export function sharesOf(
  profile: Profile,
  ready?: Moment,
): {
  readonly busyMs: number;
  readonly functions: readonly Share[];
  readonly files: readonly Share[];
} {
  const { nodes, samples } = profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const begin = ready === undefined ? afterLoading(profile) : samplesBefore(profile, ready);
  const durations = durationsOf(profile);
  const functions = new Map<string, number>();
  const files = new Map<string, number>();
  let busy = 0;
  for (let at = begin; at < samples.length; at++) {
    const frame = frames.get(samples[at] ?? 0);
    const us = durations(at);
    if (frame === undefined || frame.functionName === idle) continue;
    busy += us;
    const file = fileOf(frame.url) || "runtime";
    count(functions, `${frame.functionName || "(anonymous)"}  ${file}`, us);
    count(files, frame.functionName === "(garbage collector)" ? "garbage" : file, us);
  }
  return { busyMs: busy / 1000, functions: sorted(functions, busy), files: sorted(files, busy) };
}

const idle = "(idle)";

/** How long each sample holds: until the next, or on Bun, which takes none while it is idle, an interval. */
function durationsOf({ nodes, timeDeltas }: Profile): (at: number) => number {
  if (nodes.some(({ callFrame }) => callFrame.functionName === idle)) {
    return (at) => timeDeltas[at + 1] ?? 0;
  }
  return () => intervalUs;
}

function samplesBefore({ timeDeltas, startTime }: Profile, ready: Moment): number {
  const until = startTime > leastWallUs ? ready.wallUs : ready.monotonicUs;
  let time = startTime;
  for (const [at, us] of timeDeltas.entries()) {
    time += us;
    if (time >= until) return at;
  }
  return timeDeltas.length;
}

function afterLoading({ nodes, samples }: Profile): number {
  const loading = new Set(
    nodes.filter(({ callFrame }) => /^node:internal\/modules/.test(callFrame.url)).map((n) => n.id),
  );
  return samples.findLastIndex((id) => loading.has(id)) + 1;
}

function count(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}

function sorted(times: ReadonlyMap<string, number>, busy: number): Share[] {
  const shares = [...times].map(([name, us]) => ({ name, share: us / busy }));
  return shares.sort((a, b) => b.share - a.share);
}

/** From the folder of the project, or of the package, on; of what was built for a benchmark, no more than that. */
function fileOf(url: string): string {
  if (url.includes("/node_modules/.roost-bench-")) return "built";
  return url
    .replace(/^.*\/node_modules\//, "")
    .replace(/^.*\/(?=(src|adapters|transports|test)\/)/, "");
}
