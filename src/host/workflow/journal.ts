import { ActrError } from "../../errors.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { WorkflowLimits } from "../../workflow.ts";
import { workflowSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";
import type { EntryKind } from "./history.ts";
import {
  deleteEntry,
  type EntryRow,
  type Place,
  putEntry,
  putWorkflow,
  type WorkflowRow,
} from "./rows.ts";
import { readWorkflow } from "./stored.ts";
import { never } from "./strand.ts";
import { moveLine } from "./wake_line.ts";

/** What a new entry begins with. */
export type EntryInit = Place &
  Partial<Omit<EntryRow, keyof Place>> & { readonly kind: EntryKind; readonly name: string };

/** The history of one actor's workflow: in memory by place, and written with whatever else of the actor changes. */
export class Journal {
  readonly #instance: Instance;
  readonly #limits: WorkflowLimits;
  readonly #expect: (atMs: number) => void;
  readonly #space: string;
  /** By creation. */
  readonly #rows = new Map<number, EntryRow>();
  readonly #sizes = new Map<number, number>();
  readonly #places = new Map<string, number[]>();
  #workflow: WorkflowRow = { state: "pending", lastSeq: 0 };
  #lastSeq = 0;
  #bytes = 0;

  /** @param expect tells the host when the actor is to be woken, Unix milliseconds. */
  constructor(instance: Instance, limits: WorkflowLimits, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#limits = limits;
    this.#expect = expect;
    this.#space = workflowSpace(instance.id);
  }

  /** Reads what is stored. Tries that a crash cut short are over. */
  async restore(): Promise<void> {
    const { components, id } = this.#instance;
    const { workflow, entries } = await readWorkflow(components.store, id);
    this.#workflow = workflow ?? this.#workflow;
    this.#lastSeq = this.#workflow.lastSeq;
    for (const { row, bytes } of entries) this.#keep(asLeft(row), bytes);
  }

  get workflow(): WorkflowRow {
    return this.#workflow;
  }

  /** By creation. */
  get entries(): readonly EntryRow[] {
    return [...this.#rows.values()];
  }

  get now(): number {
    return this.#instance.components.clock.now();
  }

  entry(seq: number): EntryRow | undefined {
    return this.#rows.get(seq);
  }

  /** The entries of one place, by creation. */
  at(place: Place): readonly EntryRow[] {
    return this.#seqsAt(place).map((seq) => this.#rows.get(seq) as EntryRow);
  }

  /** One of these, counted from 0. */
  nth(place: Place, index: number): EntryRow | undefined {
    return this.#rows.get(this.#seqsAt(place)[index] ?? 0);
  }

  /** The entries that are part of one, at any depth. */
  within(seq: number): EntryRow[] {
    return this.entries.filter((row) => this.#isWithin(row, seq));
  }

  /** The steps within an entry of which the code says how they are undone, and that may have to be. */
  undoable(seq: number): EntryRow[] {
    const from = this.checkpoint;
    return this.entries.filter(
      (row) => row.undo === true && row.seq > from && this.#isWithin(row, seq),
    );
  }

  /** Whether there are such. */
  hasUndo(seq: number): boolean {
    return this.undoable(seq).length > 0;
  }

  /** Number of the last checkpoint; 0 for none. */
  get checkpoint(): number {
    return this.#workflow.checkpoint ?? 0;
  }

  /** @throws ActrError `workflow.too_large`. */
  add(init: EntryInit): EntryRow {
    const { maxEntries } = this.#limits;
    if (this.#rows.size >= maxEntries) throw tooLarge(`${maxEntries} entries`);
    this.#requireRoom(0);
    const seq = this.#lastSeq + 1;
    const begun = { attempts: 0, interruptions: 0, createdAt: this.now };
    const row: EntryRow = { state: "running", ...begun, ...init, seq };
    this.put(row);
    this.#lastSeq = seq;
    return row;
  }

  /** Stores an entry in place of what was known of it. */
  put(row: EntryRow): EntryRow {
    const change = putEntry(this.#space, row);
    this.#keep(row, change.value.length);
    this.#instance.saving.add(change);
    this.#tell();
    return row;
  }

  /** The same entry with changes. */
  change({ seq }: EntryRow, changes: Partial<EntryRow>): EntryRow {
    return this.put({ ...(this.#rows.get(seq) as EntryRow), ...changes });
  }

  /** Deletes entries. */
  drop(rows: readonly EntryRow[]): void {
    if (rows.length === 0) return;
    for (const row of rows) {
      this.#bytes -= this.#sizes.get(row.seq) ?? 0;
      this.#sizes.delete(row.seq);
      this.#rows.delete(row.seq);
      this.#leave(row);
      this.#instance.saving.add(deleteEntry(this.#space, row.seq));
    }
    this.set({});
  }

  /** Changes the workflow. */
  set(changes: Partial<WorkflowRow>): void {
    const { saving, id } = this.#instance;
    const before = this.#workflow;
    this.#workflow = { ...before, ...changes, lastSeq: this.#lastSeq };
    const { wakesAt } = this.#workflow;
    saving.add(putWorkflow(this.#space, this.#workflow), ...moveLine(id, before.wakesAt, wakesAt));
    // Only what is on disk can be found there when it is due.
    if (wakesAt !== undefined && wakesAt !== before.wakesAt) {
      saving.put({ emit: () => this.#expect(wakesAt), drop() {} });
    }
    this.#tell();
  }

  /** Hands all that changed to the store. */
  save(): void {
    this.#instance.saving.save();
  }

  /** Hands all that changed to the store; resolves when it is on disk, never when the actor is dropped before. */
  async saved(): Promise<void> {
    this.save();
    await this.#instance.gate.flushed().catch(never);
  }

  /** A value as it is kept. @throws ActrError `actor.unsupported_value`, `workflow.too_large`. */
  encode(value: unknown): Uint8Array {
    const bytes = encodeCbor(value);
    const { maxOutputBytes } = this.#limits;
    this.#requireRoom(bytes.length);
    if (bytes.length <= maxOutputBytes) return bytes;
    const message = `an output of ${bytes.length} bytes; ${maxOutputBytes} are allowed`;
    throw new ActrError("workflow.too_large", message);
  }

  #requireRoom(bytes: number): void {
    const { maxHistoryBytes } = this.#limits;
    if (this.#bytes + bytes > maxHistoryBytes) throw tooLarge(`${maxHistoryBytes} bytes`);
  }

  #keep(row: EntryRow, size: number): void {
    if (!this.#rows.has(row.seq)) this.#enter(row);
    this.#bytes += size - (this.#sizes.get(row.seq) ?? 0);
    this.#sizes.set(row.seq, size);
    this.#rows.set(row.seq, row);
    this.#lastSeq = Math.max(this.#lastSeq, row.seq);
  }

  #enter(row: EntryRow): void {
    const seqs = this.#places.get(keyOf(row));
    if (seqs === undefined) this.#places.set(keyOf(row), [row.seq]);
    else seqs.push(row.seq);
  }

  #leave(row: EntryRow): void {
    const left = this.#seqsAt(row).filter((seq) => seq !== row.seq);
    if (left.length === 0) this.#places.delete(keyOf(row));
    else this.#places.set(keyOf(row), left);
  }

  #seqsAt(place: Place): readonly number[] {
    return this.#places.get(keyOf(place)) ?? [];
  }

  #isWithin(row: EntryRow, seq: number): boolean {
    for (let at: EntryRow | undefined = row; at !== undefined; at = this.#rows.get(at.parent)) {
      if (at.parent === seq) return true;
    }
    return false;
  }

  #tell(): void {
    this.#instance.watch?.changed("workflow");
  }
}

/** An entry as the process left it whose try of it had not ended. */
function asLeft(row: EntryRow): EntryRow {
  if (row.kind !== "step" || row.state !== "running") return row;
  return { ...row, state: "pending", interruptions: row.interruptions + 1 };
}

function tooLarge(limit: string): ActrError {
  return new ActrError("workflow.too_large", `a workflow's history has at most ${limit}`);
}

function keyOf({ parent, branch }: Place): string {
  return `${parent}:${branch}`;
}
