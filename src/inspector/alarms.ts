import { actorRecordOf } from "../host/contents.ts";
import {
  type AlarmEntry,
  alarmSpace,
  readAlarmKey,
  scheduleOf,
} from "../host/schedules/schedule_row.ts";
import type { Store } from "../ports/store.ts";
import { formatActorKey } from "../protocol/actors/actor_key.ts";
import { pageLimit } from "./page_limit.ts";

/** One schedule of an actor, without the arguments of its action. Times are Unix milliseconds. */
export interface AlarmView {
  readonly id: string;
  /** What its actor calls it. */
  readonly name: string | null;
  readonly actorId: string;
  /** Name of the actor's definition. */
  readonly actor: string;
  /** The actor's key, serialised. */
  readonly key: string;
  readonly action: string;
  readonly dueAt: number;
  /** When it is tried next: at its time, or later after a failure. */
  readonly nextAt: number;
  /** Tries of this run that have failed. */
  readonly failures: number;
  /** A repeating one has an interval in milliseconds, or a cron expression. */
  readonly everyMs: number | null;
  readonly cron: string | null;
  readonly timeZone: string | null;
}

/** Which schedules to list. */
export interface AlarmQuery {
  /** 1 to {@link maxAlarmsListed}. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

/** Most schedules on one page. */
export const maxAlarmsListed = 100;

/** One page of schedules, by when they are tried next. */
export interface AlarmPage {
  readonly alarms: readonly AlarmView[];
  /** Where the next page begins: its `after`; null when this was the last one. */
  readonly next: string | null;
}

/** Schedules of all actors in a store. @throws ActrError `invalid_argument`. */
export async function listAlarms(store: Store, query: AlarmQuery): Promise<AlarmPage> {
  const limit = pageLimit(query, maxAlarmsListed);
  const lines = await store.records(alarmSpace, query.after ?? "", limit);
  const views = await Promise.all(lines.map(({ key }) => alarmView(store, readAlarmKey(key))));
  return {
    alarms: views.filter((view) => view !== undefined),
    next: lines.length < limit ? null : (lines.at(-1)?.key ?? null),
  };
}

/** Undefined when it has run, or was cancelled, meanwhile. */
async function alarmView(store: Store, entry: AlarmEntry): Promise<AlarmView | undefined> {
  const { actorId } = entry;
  const row = await scheduleOf(store, entry);
  const record = await actorRecordOf(store, actorId);
  if (row === undefined || record === undefined) return undefined;
  const { id, name, action, dueAt, nextAt, failures, everyMs, cron, timeZone } = row;
  return {
    id,
    name: name ?? null,
    actorId,
    actor: record.name,
    key: formatActorKey(record.key),
    action,
    dueAt,
    nextAt,
    failures,
    everyMs: everyMs ?? null,
    cron: cron ?? null,
    timeZone: timeZone ?? null,
  };
}
