import type { RecordEntry } from "../../ports/store.ts";
import type { Instance } from "../instance.ts";
import { deleteSchedule, putSchedule, readSchedule, type ScheduleRow } from "./schedule_row.ts";

/** The rows of one actor's schedules, by id and by name; what changes goes to the store with the turn that changes it. */
export class ScheduleTable {
  readonly #instance: Instance;
  /** Tells the host when something is due. */
  readonly #expect: (atMs: number) => void;
  readonly #rows = new Map<string, ScheduleRow>();
  readonly #ids = new Map<string, string>();

  constructor(instance: Instance, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#expect = expect;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Takes what is stored. */
  restore(entries: readonly RecordEntry[]): void {
    for (const entry of entries) this.#remember(readSchedule(entry));
  }

  /** All, by the time at which they are tried next. */
  byTime(): ScheduleRow[] {
    return [...this.#rows.values()].sort((a, b) => a.nextAt - b.nextAt || (a.id < b.id ? -1 : 1));
  }

  byId(id: string): ScheduleRow | undefined {
    return this.#rows.get(id);
  }

  byName(name: string): ScheduleRow | undefined {
    const id = this.#ids.get(name);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** Stores a row, in place of the one of its id. */
  put(row: ScheduleRow): void {
    const { id, saving } = this.#instance;
    const before = this.#rows.get(row.id);
    this.#remember(row);
    saving.add(...putSchedule(id, row, before));
    if (before?.nextAt === row.nextAt) return;
    // Only what is on disk can be found there when it is due.
    saving.put({ emit: () => this.#expect(row.nextAt), drop() {} });
  }

  /** Writes whether a row is being run: at once and by itself, since what its action changed is not whole yet. */
  mark(row: ScheduleRow): void {
    const { id, gate } = this.#instance;
    const before = this.#rows.get(row.id);
    this.#remember(row);
    gate.commit(putSchedule(id, row, before));
  }

  delete(row: ScheduleRow): void {
    this.#rows.delete(row.id);
    if (row.name !== undefined) this.#ids.delete(row.name);
    this.#instance.saving.add(...deleteSchedule(this.#instance.id, row));
  }

  /** A row that was due has not run, and is still due. */
  dueStill(row: ScheduleRow): void {
    this.#expect(row.nextAt);
  }

  #remember(row: ScheduleRow): void {
    this.#rows.set(row.id, row);
    if (row.name !== undefined) this.#ids.set(row.name, row.id);
  }
}
