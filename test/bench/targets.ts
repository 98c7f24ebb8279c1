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
  { w: "W1", variant: "1 in flight", metric: "p50", of: "ratio", most: 1.15 },
  { w: "W2", variant: "64 in flight, 1 actor", metric: "per_second", of: "ratio", least: 0.9 },
  { w: "W2", variant: "64 in flight, 64 actors", metric: "per_second", of: "ratio", least: 0.9 },
  { w: "W3", variant: "1 in flight, 1 actor", metric: "per_second", of: "ratio", least: 0.8 },
  { w: "W3", variant: "64 in flight, 1 actor", metric: "per_second", of: "ratio", least: 0.6 },
  { w: "W3", variant: "64 in flight, 64 actors", metric: "per_second", of: "ratio", least: 0.6 },
  { w: "W3", variant: "fsync, 1 actor", metric: "fsync_per_call", of: "value", most: 0.05 },
  { w: "W3", variant: "fsync, 64 actors", metric: "fsync_per_call", of: "value", most: 0.05 },
  { w: "W3", variant: "kill -9", metric: "lost", of: "value", most: 0 },
  { w: "W3", variant: "kill -9", metric: "restart", of: "value", most: 100 },
  { w: "W4", variant: "100 actors", metric: "above_warm", of: "value", most: 0.4 },
  { w: "W5", variant: "10000 actors", metric: "live", of: "value", most: 4 },
  { w: "W5", variant: "10000 actors", metric: "asleep", of: "value", most: 0.1 },
  { w: "W5", variant: "10000 actors", metric: "per_second", of: "value", least: 20_000 },
  { w: "W6", variant: "room of 200, 100 a second", metric: "p99", of: "value", most: 10_000 },
  {
    w: "W6",
    variant: "room of 200, ramp",
    metric: "delivered_per_second",
    of: "value",
    least: 500_000,
  },
  { w: "W7", variant: "2000 at once", metric: "late_p99", of: "value", most: 50 },
  { w: "W7", variant: "2000 in 2 s", metric: "late_p99", of: "value", most: 50 },
  { w: "W7", variant: "2000 across a restart", metric: "late_p99", of: "value", most: 150 },
  { w: "W7", variant: "2000 at once", metric: "missing", of: "value", most: 0 },
  { w: "W7", variant: "2000 in 2 s", metric: "missing", of: "value", most: 0 },
  { w: "W7", variant: "2000 across a restart", metric: "missing", of: "value", most: 0 },
  { w: "W8", variant: "websocket 1x64B", metric: "p50", of: "ratio", most: 1.6 },
  { w: "W8", variant: "websocket 64x64B", metric: "per_second", of: "ratio", least: 0.5 },
  { w: "W8", variant: "websocket 64x64KB", metric: "mb_per_second", of: "ratio", least: 0.7 },
  { w: "W8", variant: "websocket first call", metric: "p50", of: "value", most: 40_000 },
  { w: "W8", variant: "webrtc 1x64B", metric: "p50", of: "ratio", most: 1.5 },
  { w: "W8", variant: "webrtc 1x64KB", metric: "mb_per_second", of: "ratio", least: 0.8 },
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
  { w: "W11", variant: "pings, 1000 nodes", metric: "per_second", of: "value", least: 5_000 },
  { w: "W11", variant: "pings, 1000 nodes", metric: "p99", of: "value", most: 20_000 },
  { w: "W11", variant: "relays, 1000 nodes", metric: "per_second", of: "value", least: 5_000 },
  { w: "W11", variant: "relays, 1000 nodes", metric: "p99", of: "value", most: 20_000 },
  { w: "W11", variant: "10000 connections", metric: "rss", of: "value", most: 400 },
  { w: "W12", variant: "wasm inline 64x1KB", metric: "per_second", of: "value", least: 30_000 },
  { w: "W12", variant: "script inline 64x1KB", metric: "per_second", of: "value", least: 30_000 },
  { w: "W12", variant: "wasm worker 1x1KB", metric: "p50", of: "value", most: 60 },
  { w: "W12", variant: "script worker 1x1KB", metric: "p50", of: "value", most: 60 },
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
