import type { Random } from "../ports/random.ts";

/** `ms` moved by up to `fraction` of itself, either way. */
export function jittered(ms: number, fraction: number, random: Random): number {
  return ms * (1 + fraction * (2 * random.next() - 1));
}

const renewalStepsMs = [5_000, 10_000, 20_000, 40_000, 60_000] as const;

/** Milliseconds to wait after the failed renewal number `attempt` (from 0): 5 s to 60 s, ±25 % (`spec/node.md` §15.3). */
export function renewalDelayMs(attempt: number, random: Random): number {
  return jittered(renewalStepsMs[attempt] ?? 60_000, 0.25, random);
}

/** Milliseconds to wait after `failures` failed connects in a row: none at first, 1 s doubling to 60 s, 120 s from the tenth on, ±30 % (`spec/protocol.md` §13). */
export function reconnectDelayMs(failures: number, random: Random): number {
  if (failures === 0) return 0;
  const ms = failures < 10 ? Math.min(60_000, 1_000 * 2 ** (failures - 1)) : 120_000;
  return jittered(ms, 0.3, random);
}
