import type { FaultCounts } from "./fault_log.ts";

/**
 * What a guest does: `refusing` has failed too often in a minute, and is not built anew before that is over; `down` is
 * built anew when it is needed.
 */
export type GuestState = "unloaded" | "running" | "down" | "building" | "refusing" | "stopped";

/** A guest, as those see it who watch over the node. */
export interface GuestStatus {
  readonly state: GuestState;
  /** Only while `refusing`: when it is built anew. */
  readonly retryAfterMs?: number;
  /** Entries in flight. */
  readonly running: number;
  /** Entries that wait. */
  readonly queued: number;
  /** Bytes of linear memory, as last told. */
  readonly memoryBytes: number;
  /** Instances that were made after faults. */
  readonly rebuilds: number;
  /** What ended instances, and how often. */
  readonly faults: FaultCounts;
  /** Hooks and chunks that failed: nobody else is told. */
  readonly failedQuietly: number;
  readonly droppedHooks: number;
  readonly droppedLogLines: number;
}
