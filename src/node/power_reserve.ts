import type { SystemLoad } from "../ports/system_meter.ts";

/** Delay of the event loop at which nothing is left to give, milliseconds. */
const exhaustedDelayMs = 200;
/** Share of the memory in use below which it does not count. */
const easyMemoryShare = 0.6;

/**
 * What the runtime has left to give, 5 (idle) to 1 (nothing), as heartbeats report it (`spec/node.md` §15.1): the
 * scarcer of time and memory decides. Absent when neither is known.
 */
export function powerReserve({ eventLoopDelayMs, memory }: SystemLoad): number | undefined {
  if (eventLoopDelayMs === undefined && memory === undefined) return undefined;
  const time = (eventLoopDelayMs ?? 0) / exhaustedDelayMs;
  const used = memory === undefined ? 0 : memory.usedBytes / memory.limitBytes;
  const space = (used - easyMemoryShare) / (1 - easyMemoryShare);
  return 5 - 4 * Math.min(1, Math.max(0, time, space));
}
