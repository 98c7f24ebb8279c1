import { Cron } from "croner";
import { ActrError } from "../../errors.ts";
import type { ScheduleRow } from "./schedule_row.ts";

/** What says when a schedule repeats. */
export type Repeating = Pick<ScheduleRow, "dueAt" | "everyMs" | "cron" | "timeZone">;

/**
 * When a repeating schedule is due next after `now`; undefined for one that does not repeat, or never again. What was
 * missed is made up for once. @throws ActrError `schedule.invalid` for a time zone that is none any more.
 */
export function nextDue(schedule: Repeating, now: number): number | undefined {
  const { dueAt, everyMs, cron, timeZone = "UTC" } = schedule;
  if (everyMs !== undefined) {
    const missed = Math.max(0, Math.floor((now - dueAt) / everyMs));
    return dueAt + (missed + 1) * everyMs;
  }
  // A clock that was set back does not repeat what has run.
  return cron === undefined ? undefined : nextOfCron(cron, timeZone, Math.max(now, dueAt));
}

/**
 * The first time after `now` of a cron expression of five fields, or a word such as `@daily`; undefined when there is
 * none. A wall time that a change of the clocks skips is taken at the end of the gap; of one that comes twice, the first.
 * @throws ActrError `schedule.invalid`.
 */
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
