import type { HeapElement } from "../heap.ts";
import type { QueueLane } from "./queue_lane.ts";
import type { QueueRow } from "./queue_row.ts";

/** A message in memory, from its arrival until it is deleted. */
export interface HeldMessage extends HeapElement {
  /** As it is stored; another one after every change. */
  row: QueueRow;
  readonly lane: QueueLane;
  /** When its delay, or the claim of who received it, is over, Unix milliseconds. */
  dueAt: number;
  /** `claimed`: handed out, and not completed yet. */
  status: "ready" | "delayed" | "claimed" | "gone";
}
