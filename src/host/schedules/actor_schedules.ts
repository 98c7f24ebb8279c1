import type {
  CronOptions,
  HistoryOptions,
  Schedule,
  ScheduleOptions,
  ScheduleRun,
  Schedules,
} from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { RecordEntry } from "../../ports/store.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { Instance } from "../instance.ts";
import { nextDue, nextOfCron } from "./recurrence.ts";
import { checkSchedule } from "./schedule_checks.ts";
import { lastRunKey, maxRunsPerSchedule, ScheduleHistory } from "./schedule_history.ts";
import type { ScheduleRow } from "./schedule_row.ts";
import { ScheduleRuns } from "./schedule_runs.ts";
import { ScheduleTable } from "./schedule_table.ts";

const defaultRetries = 3;
const defaultRetryDelayMs = 1000;

/** What is to run, when, and how. */
interface Plan {
  readonly options: ScheduleOptions;
  readonly dueAt: number;
  readonly action: string;
  readonly args: readonly unknown[];
  readonly everyMs?: number;
  readonly cron?: string;
  readonly timeZone?: string;
}

/** The schedules of one actor, as its code sees them. */
export class ActorSchedules implements Schedules {
  readonly #instance: Instance;
  readonly #table: ScheduleTable;
  readonly #history: ScheduleHistory;
  readonly #runs: ScheduleRuns;

  constructor(instance: Instance, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#table = new ScheduleTable(instance, expect);
    this.#history = new ScheduleHistory(instance);
    this.#runs = new ScheduleRuns(instance, this.#table, this.#history);
  }

  /** Takes what is stored. */
  restore(entries: readonly RecordEntry[]): void {
    const lastRun = entries.find(({ key }) => key === lastRunKey);
    if (lastRun !== undefined) this.#history.restore(lastRun);
    this.#table.restore(entries.filter((entry) => entry !== lastRun));
    this.#runs.recover();
  }

  after(ms: number, action: string, ...args: unknown[]): string {
    return this.at(this.#now + ms, action, ...args);
  }

  at(dueAt: number, action: string, ...args: unknown[]): string {
    return this.#set({ options: {}, dueAt, action, args });
  }

  set(
    options: ScheduleOptions & { readonly at: number },
    action: string,
    ...args: unknown[]
  ): string {
    return this.#set({ options, dueAt: options.at, action, args });
  }

  every(name: string, everyMs: number, action: string, ...args: unknown[]): string {
    return this.#set({ options: { name }, dueAt: this.#now + everyMs, everyMs, action, args });
  }

  cron(
    options: CronOptions & { readonly name: string; readonly expression: string },
    action: string,
    ...args: unknown[]
  ): string {
    const { expression: cron, timeZone = "UTC" } = options;
    const dueAt = nextOfCron(cron, timeZone, this.#now);
    if (dueAt !== undefined) return this.#set({ options, dueAt, cron, timeZone, action, args });
    throw new ActrError("schedule.invalid", `cron expression "${cron}" is never due`);
  }

  get(idOrName: string): Schedule | undefined {
    const row = this.#find(idOrName);
    return row && viewOf(row);
  }

  list(): readonly Schedule[] {
    const views = this.#table.byTime().map(viewOf);
    return views.sort((a, b) => a.dueAt - b.dueAt);
  }

  cancel(idOrName: string): boolean {
    const row = this.#find(idOrName);
    if (row !== undefined) this.#table.delete(row);
    return row !== undefined;
  }

  history(
    idOrName?: string,
    { limit = maxRunsPerSchedule }: HistoryOptions = {},
  ): Promise<readonly ScheduleRun[]> {
    return this.#history.list(idOrName, limit);
  }

  /** Runs what is due, of all or of some; false when the actor stops, and it is left for the next start. */
  fire(ids?: Iterable<string>): boolean {
    return this.#runs.fire(ids);
  }

  get #now(): number {
    return this.#instance.components.clock.now();
  }

  #find(idOrName: string): ScheduleRow | undefined {
    return this.#table.byId(idOrName) ?? this.#table.byName(idOrName);
  }

  /** A named schedule that is set again as it is does not change: not even when it is due. */
  #set(plan: Plan): string {
    const { name } = plan.options;
    const known = name === undefined ? undefined : this.#table.byName(name);
    const row = this.#rowOf(plan, known);
    this.#requireAction(row.action);
    checkSchedule(row);
    if (known !== undefined && isSame(known, row)) return known.id;
    if (known === undefined) this.#requireRoom();
    this.#table.put(row);
    return row.id;
  }

  #rowOf({ options, action, args, ...plan }: Plan, known: ScheduleRow | undefined): ScheduleRow {
    const { random } = this.#instance.components;
    const recurrence = { everyMs: plan.everyMs, cron: plan.cron, timeZone: plan.timeZone };
    const dueAt = Math.ceil(this.#dueOf(plan, known));
    return {
      id: known?.id ?? random.uuid(),
      name: options.name,
      action,
      // A copy: what the caller changes afterwards is the caller's.
      args: decodeCbor(encodeCbor(args)) as unknown[],
      dueAt,
      nextAt: dueAt,
      ...recurrence,
      maxRetries: options.maxRetries ?? defaultRetries,
      retryDelayMs: options.retryDelayMs ?? defaultRetryDelayMs,
      failures: 0,
      fireId: random.uuid(),
      claimedAt: undefined,
      runs: known?.runs ?? [],
    };
  }

  /** What repeats as before keeps its time; the run that goes on, if one does, is the one of that time. */
  #dueOf(plan: Pick<Plan, "dueAt" | "everyMs" | "cron" | "timeZone">, known?: ScheduleRow): number {
    const repeats = plan.everyMs !== undefined || plan.cron !== undefined;
    if (known === undefined || !repeats || !repeatsAlike(known, plan)) return plan.dueAt;
    if (!this.#runs.isRunning(known.id)) return known.dueAt;
    return nextDue(known, this.#now) ?? plan.dueAt;
  }

  #requireAction(action: string): void {
    if (Object.hasOwn(this.#instance.kind.definition.actions, action)) return;
    throw new ActrError("actor.action_not_found", `Action \`${action}\` was not found.`);
  }

  #requireRoom(): void {
    const { size } = this.#table;
    if (size < this.#instance.kind.options.maxSchedules) return;
    throw new ActrError("schedule.full", `the actor has ${size} schedules; cancel some`);
  }
}

function repeatsAlike(
  a: Pick<Plan, "everyMs" | "cron" | "timeZone"> | ScheduleRow,
  b: Pick<Plan, "everyMs" | "cron" | "timeZone"> | ScheduleRow,
): boolean {
  return a.everyMs === b.everyMs && a.cron === b.cron && a.timeZone === b.timeZone;
}

/** Whether two rows run the same, at the same times. */
function isSame(a: ScheduleRow, b: ScheduleRow): boolean {
  const isOnce = a.everyMs === undefined && a.cron === undefined;
  return (
    repeatsAlike(a, b) &&
    (!isOnce || a.dueAt === b.dueAt) &&
    a.action === b.action &&
    a.maxRetries === b.maxRetries &&
    a.retryDelayMs === b.retryDelayMs &&
    equalBytes(encodeCbor(a.args), encodeCbor(b.args))
  );
}

function viewOf(row: ScheduleRow): Schedule {
  const { id, name, action, args, dueAt, everyMs, cron, timeZone } = row;
  return { id, name, action, args: structuredClone(args), dueAt, everyMs, cron, timeZone };
}
