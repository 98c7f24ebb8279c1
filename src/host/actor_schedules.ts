import type { CronOptions, Schedule, ScheduleFire, ScheduleOptions, Schedules } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { RecordEntry } from "../ports/store.ts";
import { utf8 } from "../protocol/bytes.ts";
import { buriedSchedule } from "./buried.ts";
import type { Instance } from "./instance.ts";
import { minIntervalMs, nextDue, nextOfCron } from "./recurrence.ts";
import { deleteSchedule, putSchedule, readSchedule, type ScheduleRow } from "./schedule_row.ts";

const defaultRetries = 3;
const defaultRetryDelayMs = 1000;
const maxNameBytes = 128;

/** What repeats, and how. */
type Recurrence = Partial<Pick<ScheduleRow, "everyMs" | "cron" | "timeZone">>;

/** The schedules of one actor: rows that are written with the turn, and runs of what is due. */
export class ActorSchedules implements Schedules {
  readonly #instance: Instance;
  /** Tells the host when something is due. */
  readonly #expect: (atMs: number) => void;
  readonly #rows = new Map<string, ScheduleRow>();
  readonly #running = new Set<string>();

  constructor(instance: Instance, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#expect = expect;
  }

  /** Takes what is stored. */
  restore(rows: readonly RecordEntry[]): void {
    for (const entry of rows) {
      const row = readSchedule(entry);
      this.#rows.set(row.id, row);
    }
  }

  after(ms: number, action: string, ...args: unknown[]): string {
    return this.at(this.#now + ms, action, ...args);
  }

  at(dueAt: number, action: string, ...args: unknown[]): string {
    return this.#set({}, dueAt, {}, action, args);
  }

  set(
    options: ScheduleOptions & { readonly at: number },
    action: string,
    ...args: unknown[]
  ): string {
    return this.#set(options, options.at, {}, action, args);
  }

  every(name: string, everyMs: number, action: string, ...args: unknown[]): string {
    if (!(everyMs >= minIntervalMs)) {
      const message = `the interval is ${everyMs} ms; it must be at least ${minIntervalMs}`;
      throw new ActrError("schedule.invalid", message);
    }
    const known = this.get(name);
    const same = known?.everyMs === everyMs ? known.dueAt : this.#now + everyMs;
    return this.#set({ name }, same, { everyMs }, action, args);
  }

  cron(
    options: CronOptions & { readonly name: string; readonly expression: string },
    action: string,
    ...args: unknown[]
  ): string {
    const { expression, timeZone = "UTC" } = options;
    const dueAt = nextOfCron(expression, timeZone, this.#now);
    if (dueAt === undefined) {
      throw new ActrError("schedule.invalid", `cron expression "${expression}" is never due`);
    }
    return this.#set(options, dueAt, { cron: expression, timeZone }, action, args);
  }

  get(idOrName: string): Schedule | undefined {
    return this.#rows.get(idOrName) ?? this.#named(idOrName);
  }

  list(): readonly Schedule[] {
    return [...this.#rows.values()].sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
  }

  cancel(idOrName: string): boolean {
    const row = this.#rows.get(idOrName) ?? this.#named(idOrName);
    if (row === undefined) return false;
    this.#rows.delete(row.id);
    this.#instance.saving.add(...deleteSchedule(this.#instance.id, row));
    return true;
  }

  /** Runs what is due. */
  fire(): void {
    const now = this.#now;
    for (const row of this.list() as ScheduleRow[]) {
      if (row.nextAt <= now && !this.#running.has(row.id)) this.#run(row);
    }
  }

  get #now(): number {
    return this.#instance.components.clock.now();
  }

  #named(name: string): ScheduleRow | undefined {
    for (const row of this.#rows.values()) if (row.name === name) return row;
    return undefined;
  }

  #set(
    options: ScheduleOptions,
    dueAt: number,
    recurrence: Recurrence,
    action: string,
    args: readonly unknown[],
  ): string {
    const { name } = options;
    this.#check(dueAt, action, name);
    const known = name === undefined ? undefined : this.#named(name);
    const { random } = this.#instance.components;
    const row: ScheduleRow = {
      id: known?.id ?? random.uuid(),
      name,
      action,
      args,
      dueAt,
      nextAt: dueAt,
      everyMs: recurrence.everyMs,
      cron: recurrence.cron,
      timeZone: recurrence.timeZone,
      maxRetries: options.maxRetries ?? defaultRetries,
      retryDelayMs: options.retryDelayMs ?? defaultRetryDelayMs,
      failures: 0,
      fireId: random.uuid(),
    };
    this.#put(row, known);
    return row.id;
  }

  #check(dueAt: number, action: string, name: string | undefined): void {
    const { definition, options } = this.#instance.kind;
    if (!Object.hasOwn(definition.actions, action)) {
      throw new ActrError("actor.action_not_found", `Action \`${action}\` was not found.`);
    }
    if (!Number.isFinite(dueAt) || dueAt < 0) {
      throw new ActrError("schedule.invalid", `${dueAt} is no time in Unix milliseconds`);
    }
    if (name !== undefined && (name === "" || utf8(name).length > maxNameBytes)) {
      throw new ActrError("schedule.invalid", `a name has 1 to ${maxNameBytes} bytes: ${name}`);
    }
    if (this.#rows.size >= options.maxSchedules) {
      const message = `the actor has ${this.#rows.size} schedules; cancel some`;
      throw new ActrError("schedule.full", message);
    }
  }

  #put(row: ScheduleRow, before: ScheduleRow | undefined): void {
    this.#rows.set(row.id, row);
    this.#instance.saving.add(...putSchedule(this.#instance.id, row, before));
    this.#expect(row.nextAt);
  }

  #run(row: ScheduleRow): void {
    this.#running.add(row.id);
    const { id: scheduleId, name, dueAt, fireId } = row;
    const fire: ScheduleFire = { scheduleId, name, dueAt, fireId, attempt: row.failures + 1 };
    this.#instance.act({
      name: row.action,
      args: row.args,
      fire,
      answer: { take: () => () => {}, fail: () => {} },
      settle: (failure) => this.#settle(row, failure),
    });
  }

  /** What becomes of a schedule is in one commit with what its action changed. */
  #settle(row: ScheduleRow, failure: ActrError | undefined): void {
    this.#running.delete(row.id);
    // It may have been cancelled, or set anew, by its own action.
    if (this.#rows.get(row.id) !== row) return;
    if (failure !== undefined && row.failures < row.maxRetries) return this.#retry(row);
    if (failure !== undefined)
      this.#instance.saving.add(buriedSchedule(this.#instance, row, failure));
    const dueAt = nextDue(row, this.#now);
    if (dueAt === undefined) return void this.cancel(row.id);
    const { random } = this.#instance.components;
    this.#put({ ...row, dueAt, nextAt: dueAt, failures: 0, fireId: random.uuid() }, row);
  }

  #retry(row: ScheduleRow): void {
    const nextAt = this.#now + row.retryDelayMs * 2 ** row.failures;
    this.#put({ ...row, nextAt, failures: row.failures + 1 }, row);
  }
}
