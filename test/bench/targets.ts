/** A figure that has a target, and what it has to be. */
interface Target {
  readonly w: string;
  readonly variant: string;
  readonly metric: string;
  readonly of: "value" | "ratio";
  readonly least?: number;
  readonly most?: number;
}

/** What has to be reached on Node; Deno and Bun are told how far they are from the same. */
const targets: readonly Target[] = [
  { w: "W8", variant: "websocket 1x64B", metric: "p50", of: "ratio", most: 1.6 },
  { w: "W8", variant: "websocket 64x64B", metric: "per_second", of: "ratio", least: 0.5 },
  { w: "W8", variant: "websocket 64x64KB", metric: "mb_per_second", of: "ratio", least: 0.7 },
  { w: "W8", variant: "webrtc 1x64B", metric: "p50", of: "ratio", most: 1.5 },
  { w: "W8", variant: "webrtc 64x64KB", metric: "mb_per_second", of: "ratio", least: 0.8 },
  { w: "W8", variant: "memory 64x64B", metric: "per_second", of: "value", least: 150_000 },
  { w: "W9", variant: "tell 64 senders", metric: "per_second", of: "value", least: 60_000 },
  { w: "W9", variant: "tell 64 senders", metric: "fsync_per_message", of: "value", most: 0.1 },
  { w: "W9", variant: "gate 64 senders", metric: "per_second", of: "ratio", least: 0.7 },
  { w: "W9", variant: "gate 64 senders", metric: "fsync_per_message", of: "value", most: 0.1 },
  { w: "W9", variant: "gate 1 sender", metric: "per_second", of: "ratio", least: 0.8 },
  { w: "W10", variant: "start", metric: "ready", of: "value", most: 150 },
  { w: "W10", variant: "start", metric: "idle_rss", of: "value", most: 40 },
  { w: "W10", variant: "built start", metric: "ready", of: "value", most: 150 },
  { w: "W10", variant: "built start", metric: "idle_rss", of: "value", most: 40 },
];

/** What is judged. */
export interface Measured {
  readonly w: string;
  readonly variant: string;
  readonly metric: string;
  readonly value: number;
  readonly ratio: number | null;
}

/** The target of a figure, and whether it is met. */
export function judge(measured: Measured): { target: string | null; met: boolean | null } {
  const { w, variant, metric } = measured;
  // What a variant runs on may follow its name, in brackets.
  const [name] = variant.split(" (");
  const target = targets.find(
    (one) => one.w === w && one.variant === name && one.metric === metric,
  );
  if (target === undefined) return { target: null, met: null };
  const { of, least, most } = target;
  const figure = measured[of] ?? Number.NaN;
  return least === undefined
    ? { target: `${of} <= ${most}`, met: figure <= (most ?? Number.NaN) }
    : { target: `${of} >= ${least}`, met: figure >= least };
}
