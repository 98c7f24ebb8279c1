import type { ScheduleFire } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import { admitAlarm } from "../lifecycle.ts";
import type { ActionCommand } from "../turns/command.ts";
import type { ScheduleHistory } from "./schedule_history.ts";
import { ScheduleOutcomes } from "./schedule_outcomes.ts";
import type { ScheduleRow } from "./schedule_row.ts";
import type { ScheduleTable } from "./schedule_table.ts";

/** Runs of one actor that are in its inbox at once, so that clients find room there too. */
const maxRunsAtOnce = 16;
/** Pause before what found the inbox full is tried again, milliseconds. */
const overloadPauseMs = 1000;

/** One try of a run. */
interface Try {
  /** Its row, as long as nobody sets the schedule anew. */
  row: ScheduleRow;
  readonly fire: ScheduleFire;
  /** When its action began, Unix milliseconds; undefined while it waits for its turn. */
  startedAt: number | undefined;
}

/**
 * Runs what is due in one actor, at least once each: a run's row leaves, or moves on, in the commit of what its action
 * changed. A try that goes on after its first `await` is marked on disk, and so is, before it begins, one that may have
 * ended the process before: a run that keeps killing becomes a dead letter.
 */
export class ScheduleRuns {
  readonly #instance: Instance;
  readonly #table: ScheduleTable;
  readonly #outcomes: ScheduleOutcomes;
  /** Ids of what is due, in order. */
  readonly #due = new Set<string>();
  readonly #running = new Set<string>();
  /** Were cut short. */
  readonly #suspect = new Set<string>();
  /** Runs that end at once begin their followers one after the other, not one within the other. */
  #advancing = false;

  constructor(instance: Instance, table: ScheduleTable, history: ScheduleHistory) {
    this.#instance = instance;
    this.#table = table;
    this.#outcomes = new ScheduleOutcomes(instance, table, history);
  }

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** Counts the tries that were cut short: their process, or their actor, ended under them. */
  recover(): void {
    for (const row of this.#table.byTime()) {
      if (row.claimedAt === undefined) continue;
      this.#suspect.add(row.id);
      const error = new ActrError("schedule.interrupted", `run ${row.fireId} was cut short`);
      const runs = this.#outcomes.record(fireOf(row), row, row.claimedAt, error);
      this.#outcomes.settle({ ...row, runs }, error);
    }
  }

  /** Runs those that are due, of all or of some; false when the actor stops, and they are left for its next start. */
  fire(ids?: Iterable<string>): boolean {
    if (admitAlarm(this.#instance.state) !== "run") return false;
    for (const id of ids ?? this.#table.byTime().map((row) => row.id)) this.#enqueue(id);
    this.#advance();
    return true;
  }

  get #now(): number {
    return this.#instance.components.clock.now();
  }

  #enqueue(id: string): void {
    const row = this.#table.byId(id);
    if (row !== undefined && row.nextAt <= this.#now) this.#due.add(id);
  }

  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (const id of this.#due) {
      if (this.#running.size >= maxRunsAtOnce) break;
      // One that still runs is looked at again when it has ended.
      this.#due.delete(id);
      const row = this.#table.byId(id);
      if (row !== undefined && row.nextAt <= this.#now && !this.#running.has(id)) this.#run(row);
    }
    this.#advancing = false;
  }

  #run(row: ScheduleRow): void {
    this.#running.add(row.id);
    const suspect =
      this.#suspect.has(row.id) || row.nextAt <= this.#instance.components.suspectUntil;
    const each: Try = { row, fire: fireOf(row), startedAt: undefined };
    if (suspect) this.#runSuspect(each);
    else this.#start(each);
  }

  /** It begins when it is on disk that it does. */
  #runSuspect(each: Try): void {
    const { gate, work } = this.#instance;
    this.#claim(each);
    const written = gate.flushed();
    work.track("keep_awake", written);
    written.then(
      () => this.#startClaimed(each),
      () => {},
    );
  }

  #startClaimed(each: Try): void {
    if (this.#table.byId(each.row.id) !== each.row) return this.#release(each);
    if (admitAlarm(this.#instance.state) === "run") return this.#start(each);
    this.#refused(each, new ActrError("actor.stopping", "the actor stops"));
  }

  #start(each: Try): void {
    const { row, fire } = each;
    const command: ActionCommand = {
      name: row.action,
      args: structuredClone(row.args),
      fire,
      answer: { take: () => () => {}, fail: (error) => this.#refused(each, error) },
      begins: () => {
        each.startedAt = this.#now;
      },
      goesOn: () => {
        if (this.#table.byId(row.id) === row) this.#claim(each);
      },
      settle: (failure) => this.#ended(each, failure),
    };
    this.#instance.act(command);
  }

  #claim(each: Try): void {
    if (each.row.claimedAt !== undefined) return;
    each.row = { ...each.row, claimedAt: this.#now };
    this.#table.mark(each.row);
  }

  /** What becomes of a schedule is in one commit with what its action changed. */
  #ended(each: Try, failure: ActrError | undefined): void {
    // An actor that is gone from memory writes nothing any more: the claim tells its next start.
    if (this.#instance.state === "terminated") return;
    const { id } = each.row;
    const current = this.#table.byId(id);
    this.#suspect.delete(id);
    const known = current?.runs ?? each.row.runs;
    const runs = this.#outcomes.record(
      each.fire,
      { ...each.row, runs: known },
      each.startedAt,
      failure,
    );
    // It may have been cancelled, or set anew, by its own action.
    if (current === each.row) this.#outcomes.settle({ ...current, runs }, failure);
    else if (current !== undefined) this.#table.put({ ...current, runs });
    this.#release(each);
  }

  /** Others may begin; and it, if it is due again. */
  #release({ row }: Try): void {
    this.#running.delete(row.id);
    this.#enqueue(row.id);
    this.#advance();
  }

  /** It has not begun. */
  #refused(each: Try, error: ActrError): void {
    const { state } = this.#instance;
    if (each.startedAt !== undefined || state === "terminated") return;
    if (error.code === "actor.action_not_found") return this.#ended(each, error);
    this.#running.delete(each.row.id);
    if (this.#table.byId(each.row.id) !== each.row) return;
    const row = { ...each.row, claimedAt: undefined };
    if (state === "started")
      return this.#table.put({ ...row, nextAt: this.#now + overloadPauseMs });
    if (each.row.claimedAt !== undefined) this.#table.mark(row);
    this.#table.dueStill(row);
  }
}

function fireOf({ id, name, dueAt, fireId, failures }: ScheduleRow): ScheduleFire {
  return { scheduleId: id, name, dueAt, fireId, attempt: failures + 1 };
}
