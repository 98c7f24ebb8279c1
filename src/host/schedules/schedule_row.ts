import type { RecordEntry, Store, StoreChange } from "../../ports/store.ts";
import { actorSpace } from "../contents.ts";
import { decodeRow, encodeRow } from "../state/stored_row.ts";

/** One schedule, as it is stored. */
export interface ScheduleRow {
  readonly id: string;
  readonly name: string | undefined;
  readonly action: string;
  readonly args: readonly unknown[];
  /** When this run is due, Unix milliseconds. */
  readonly dueAt: number;
  /** When it is tried next: at its time, or later after a failure. */
  readonly nextAt: number;
  readonly everyMs: number | undefined;
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  /** Tries of this run that have failed, or were cut short. */
  readonly failures: number;
  /** Names this run. */
  readonly fireId: string;
  /** When a try was begun that may not have ended, Unix milliseconds. */
  readonly claimedAt: number | undefined;
  /** Numbers of its last runs in the actor's history. */
  readonly runs: readonly number[];
}

/** Space of the index of all schedules of a node, by time: `NEXT_AT:ACTOR:SCHEDULE`, without a value. */
export const alarmSpace = "alarms";

const noValue = new Uint8Array(0);
const timeDigits = 15;

/** One line of the index. */
export interface AlarmEntry {
  /** Unix milliseconds. */
  readonly at: number;
  readonly actorId: string;
  readonly scheduleId: string;
}

/** Key in the index that comes before all schedules of a time. */
export function alarmKeyBefore(atMs: number): string {
  return Math.max(0, Math.floor(atMs)).toString().padStart(timeDigits, "0");
}

/** The change that deletes a line of the index. */
export function deleteAlarm(entry: AlarmEntry): StoreChange {
  return { kind: "record.delete", space: alarmSpace, key: alarmKey(entry) };
}

/** What a key of the index says. */
export function readAlarmKey(key: string): AlarmEntry {
  const [at = "", actorId = "", scheduleId = ""] = key.split(":");
  return { at: Number(at), actorId, scheduleId };
}

/** The changes that store a schedule in place of what was known of it. */
export function putSchedule(
  actorId: string,
  row: ScheduleRow,
  before: ScheduleRow | undefined,
): StoreChange[] {
  const [space, key] = [actorSpace(actorId), rowKey(row.id)];
  const put: StoreChange[] = [{ kind: "record.put", space, key, value: encodeSchedule(row) }];
  if (before?.nextAt === row.nextAt) return put;
  if (before !== undefined) put.push(unlist(actorId, before));
  const line = alarmKey({ at: row.nextAt, actorId, scheduleId: row.id });
  put.push({ kind: "record.put", space: alarmSpace, key: line, value: noValue });
  return put;
}

/** The changes that delete a schedule. */
export function deleteSchedule(actorId: string, row: ScheduleRow): StoreChange[] {
  const space = actorSpace(actorId);
  return [{ kind: "record.delete", space, key: rowKey(row.id) }, unlist(actorId, row)];
}

/** A stored schedule. @throws ActrError `protocol.invalid_persisted_data`. */
export function readSchedule({ key, value }: RecordEntry): ScheduleRow {
  const row = decodeRow<Partial<ScheduleRow>>(value, `schedule ${key}`);
  return { ...row, args: row.args ?? [] } as ScheduleRow;
}

/** The schedule that a line of the index is of; undefined when it is gone. */
export async function scheduleOf(
  store: Store,
  { actorId, scheduleId }: AlarmEntry,
): Promise<ScheduleRow | undefined> {
  const key = rowKey(scheduleId);
  const value = await store.record(actorSpace(actorId), key);
  return value && readSchedule({ key, value });
}

/** Most schedules have no arguments, which costs them nothing. */
function encodeSchedule({ args, ...row }: ScheduleRow): Uint8Array {
  return encodeRow(args.length === 0 ? row : { ...row, args });
}

function rowKey(scheduleId: string): string {
  return `t:${scheduleId}`;
}

function unlist(actorId: string, { id, nextAt }: ScheduleRow): StoreChange {
  return deleteAlarm({ at: nextAt, actorId, scheduleId: id });
}

function alarmKey({ at, actorId, scheduleId }: AlarmEntry): string {
  return `${alarmKeyBefore(at)}:${actorId}:${scheduleId}`;
}
