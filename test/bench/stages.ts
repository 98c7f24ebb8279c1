/** Where the time of a call can go, on both sides. */
export const stages = [
  "call",
  "codec",
  "link",
  "gate",
  "mailbox",
  "scheduler",
  "handler",
  "completion",
  "reply",
  "load",
  "garbage",
  "runtime",
] as const;

/** One of {@link stages}. */
export type Stage = (typeof stages)[number];

/** Microseconds of processor time by stage. */
export type StageTimes = Readonly<Record<Stage, number>>;

/** A stage, or what is no part of a call: waiting, and the sampling itself. */
type Place = Stage | "none";

/** Which stage our files belong to; the first that matches counts. */
const files: readonly (readonly [path: RegExp, place: Place])[] = [
  [/\/test\/bench\/profiler/, "none"],
  [/\/test\/bench\/bench_service/, "handler"],
  [/\/test\/bench\//, "load"],
  [/\/src\/protocol\/|\/@bufbuild\//, "codec"],
  [/\/src\/outbound\/|\/src\/session\/(pending_calls|deadlines)/, "call"],
  [
    /\/src\/session\/|\/transports\/|\/adapters\/(node|bun|deno|socket_events)|\/node_modules\/ws\//,
    "link",
  ],
  [/\/src\/inbound\/(gate|admission|acl|nested_calls|forward)/, "gate"],
  [/\/src\/inbound\/(mailbox|shelf|pump|refill|backpressure|row_maker)|\/src\/deque/, "mailbox"],
  [/\/src\/inbound\/(scheduler|pipeline|conflict_key)/, "scheduler"],
  [/\/src\/inbound\/replier/, "reply"],
  [
    /\/src\/inbound\/(completion|dedup|answer_|dead_letters)|\/adapters\/sql\/|libsql/,
    "completion",
  ],
  [/\/src\/inbound\/|\/src\/node\//, "handler"],
];

/** One function of a profile, with what it calls. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** A profile by samples, as the protocol of V8's inspector has it. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the functions that were running. */
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

/**
 * The time of a profile by stage. A function of ours belongs to the stage of its file; one of the runtime or of a
 * library to that of whoever called it, or, where nobody of ours did, to `link`, since only sockets call from
 * outside. `runtime` is time outside JavaScript. Idle time is left out.
 */
export function timesOf({ nodes, samples = [], timeDeltas = [] }: Profile): StageTimes {
  const places = classify(nodes);
  const times = Object.fromEntries(stages.map((stage) => [stage, 0])) as Record<Stage, number>;
  for (const [index, id] of samples.entries()) {
    const place = places.get(id) ?? "none";
    if (place !== "none") times[place] += timeDeltas[index] ?? 0;
  }
  return times;
}

function classify(nodes: readonly ProfileNode[]): Map<number, Place> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<number, Place>();
  const visit = (node: ProfileNode, caller: Place): void => {
    const place = placeOf(node, caller);
    found.set(node.id, place);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) visit(child, place);
    }
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, "link");
  return found;
}

function placeOf({ callFrame }: ProfileNode, caller: Place): Place {
  switch (callFrame.functionName) {
    case "(idle)":
      return "none";
    case "(program)":
      return "runtime";
    case "(garbage collector)":
      return "garbage";
    default:
      return files.find(([path]) => path.test(callFrame.url))?.[1] ?? caller;
  }
}
