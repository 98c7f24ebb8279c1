import { Cron } from "croner";
import { ActrError } from "../errors.ts";
import type { ScheduleRow } from "./schedule_row.ts";

/** Shortest interval of what repeats, milliseconds (`spec/actor-host.md` §11.4). */
export const minIntervalMs = 5000;

/** When a repeating schedule is due next after `now`; undefined for one that does not repeat, or never again. What was missed is made up for once. */
export function nextDue(row: ScheduleRow, now: number): number | undefined {
  if (row.everyMs !== undefined) {
    const missed = Math.max(0, Math.floor((now - row.dueAt) / row.everyMs));
    return row.dueAt + (missed + 1) * row.everyMs;
  }
  if (row.cron === undefined) return undefined;
  return nextOfCron(row.cron, row.timeZone ?? "UTC", now);
}

/** The first time after `now` of a cron expression of five fields. @throws ActrError `schedule.invalid`. */
export function nextOfCron(expression: string, timeZone: string, now: number): number | undefined {
  if (expression.trim().split(/\s+/).length !== 5 && !expression.startsWith("@")) {
    throw invalid(expression, "five fields are expected: minute hour day month weekday");
  }
  try {
    const cron = new Cron(expression, { timezone: timeZone, paused: true });
    return cron.nextRun(new Date(now))?.getTime();
  } catch (cause) {
    throw invalid(expression, cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(expression: string, what: string): ActrError {
  return new ActrError(
    "schedule.invalid",
    `cron expression ${JSON.stringify(expression)}: ${what}`,
  );
}
