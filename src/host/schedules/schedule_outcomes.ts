import type { ScheduleFire, ScheduleRun } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import { buriedSchedule } from "../buried.ts";
import type { Instance } from "../instance.ts";
import { nextDue } from "./recurrence.ts";
import { longestPauseMs } from "./schedule_checks.ts";
import type { ScheduleHistory } from "./schedule_history.ts";
import type { ScheduleRow } from "./schedule_row.ts";
import type { ScheduleTable } from "./schedule_table.ts";

/** Characters of a failure that are remembered. */
const maxErrorLength = 1000;

/** What becomes of a schedule when a try of a run has ended: remembered, over, tried again later, or a dead letter. */
export class ScheduleOutcomes {
  readonly #instance: Instance;
  readonly #table: ScheduleTable;
  readonly #history: ScheduleHistory;

  constructor(instance: Instance, table: ScheduleTable, history: ScheduleHistory) {
    this.#instance = instance;
    this.#table = table;
    this.#history = history;
  }

  /** Remembers a try; returns the numbers of the runs of its schedule that are remembered. @param startedAt Unix milliseconds; undefined for one that did not begin. */
  record(
    fire: ScheduleFire,
    row: ScheduleRow,
    startedAt: number | undefined,
    failure: ActrError | undefined,
  ): readonly number[] {
    const endedAt = this.#now;
    const { action } = row;
    const run: ScheduleRun = { ...fire, action, startedAt: startedAt ?? endedAt, endedAt };
    if (failure === undefined) return this.#history.record(run, row.runs);
    const { code, message } = failure;
    const error = { code, message: message.slice(0, maxErrorLength) };
    return this.#history.record({ ...run, error }, row.runs);
  }

  /** Stores what comes after a try. */
  settle(row: ScheduleRow, failure: ActrError | undefined): void {
    if (failure !== undefined && isTriedAgain(row, failure)) return this.#tryAgain(row, failure);
    if (failure !== undefined) this.#bury(row, failure);
    const dueAt = failure?.code === "actor.action_not_found" ? undefined : this.#nextDue(row);
    if (dueAt === undefined) return this.#table.delete(row);
    const fireId = this.#instance.components.random.uuid();
    const next = { dueAt, nextAt: dueAt, failures: 0, claimedAt: undefined, fireId };
    this.#table.put({ ...row, ...next });
  }

  get #now(): number {
    return this.#instance.components.clock.now();
  }

  #tryAgain(row: ScheduleRow, { code }: ActrError): void {
    const pauseMs = code === "schedule.interrupted" ? 0 : pauseAfter(row);
    const failures = row.failures + 1;
    this.#table.put({ ...row, nextAt: this.#now + pauseMs, failures, claimedAt: undefined });
  }

  #bury(row: ScheduleRow, error: ActrError): void {
    const { log, saving } = this.#instance;
    log.error("actor.schedule_buried", { schedule_id: row.id, action: row.action, error });
    saving.add(buriedSchedule(this.#instance, row, error));
  }

  /** A time zone that was known may not be known to the next version of a runtime. */
  #nextDue(row: ScheduleRow): number | undefined {
    try {
      return nextDue(row, this.#now);
    } catch (error) {
      const failure = ActrError.from(error);
      this.#instance.report(failure, "schedule");
      this.#instance.saving.add(buriedSchedule(this.#instance, row, failure));
      return undefined;
    }
  }
}

function isTriedAgain({ failures, maxRetries }: ScheduleRow, failure: ActrError): boolean {
  return failure.code !== "actor.action_not_found" && failures < maxRetries;
}

function pauseAfter({ failures, retryDelayMs }: ScheduleRow): number {
  return Math.min(retryDelayMs * 2 ** failures, longestPauseMs);
}
