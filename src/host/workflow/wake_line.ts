import type { StoreChange } from "../../ports/store.ts";
import { alarmKeyBefore, alarmSpace } from "../schedules/schedule_row.ts";

/** Stands in the index of alarms where schedules have their ids. */
const lineId = "workflow";
const noValue = new Uint8Array(0);

/**
 * The changes that move the line which wakes an actor for its workflow: to the time that it waits for, or, while it
 * goes on, to the past, so that whatever ends the process it is woken again. Times are Unix milliseconds.
 */
export function moveLine(
  actorId: string,
  from: number | undefined,
  to: number | undefined,
): StoreChange[] {
  const changes: StoreChange[] = [];
  if (from === to) return changes;
  const key = (atMs: number): string => `${alarmKeyBefore(atMs)}:${actorId}:${lineId}`;
  if (from !== undefined) {
    changes.push({ kind: "record.delete", space: alarmSpace, key: key(from) });
  }
  if (to !== undefined) {
    changes.push({ kind: "record.put", space: alarmSpace, key: key(to), value: noValue });
  }
  return changes;
}
