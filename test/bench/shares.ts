/** The part of a CPU profile that is read, as the inspectors of V8 and of Bun write it. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the functions that were running. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

/** What part of the busy time something took by itself. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** A profile by what ran, the longest first; without what was idle, and without the start, until the last module was loaded. */
export function sharesOf({ nodes, samples, timeDeltas }: Profile): {
  readonly busyMs: number;
  readonly functions: readonly Share[];
  readonly files: readonly Share[];
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const isLoading = (id: number): boolean =>
    /^node:internal\/modules/.test(frames.get(id)?.url ?? "");
  const begin = samples.findLastIndex(isLoading) + 1;
  const functions = new Map<string, number>();
  const files = new Map<string, number>();
  let busy = 0;
  for (let at = begin; at < samples.length; at++) {
    const frame = frames.get(samples[at] ?? 0);
    // A sample holds until the next.
    const us = timeDeltas[at + 1] ?? 0;
    if (frame === undefined || frame.functionName === "(idle)") continue;
    busy += us;
    const file = fileOf(frame.url) || "runtime";
    count(functions, `${frame.functionName || "(anonymous)"}  ${file}`, us);
    count(files, frame.functionName === "(garbage collector)" ? "garbage" : file, us);
  }
  return { busyMs: busy / 1000, functions: sorted(functions, busy), files: sorted(files, busy) };
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
