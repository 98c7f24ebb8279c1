import type { ActorKey, ActorShape } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Logger } from "../../ports/logger.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type {
  Branch,
  EntryOptions,
  LoopOptions,
  LoopResult,
  MessageOptions,
  RaceResult,
  StepOptions,
  WorkflowContext,
} from "../../workflow.ts";
import { runJoin, runRace } from "./branches.ts";
import { Cursor, type Wanted } from "./cursor.ts";
import type { EntryKind } from "./history.ts";
import type { Life, OpenScope, Undo } from "./life.ts";
import { runLoop } from "./loop.ts";
import { receiveMessage } from "./message.ts";
import { type EntryRow, isDone, type Place, thrown } from "./rows.ts";
import { runStep, type StepPlan } from "./step.ts";
import { never, type Strand } from "./strand.ts";

/** One place of a workflow, as its code sees it: the root, an iteration of a loop, a branch. */
export class Scope implements OpenScope {
  readonly #life: Life;
  readonly #strand: Strand;
  readonly #cursor: Cursor;
  /** The entry whose end is not awaited yet. */
  #busy: string | undefined;

  constructor(life: Life, strand: Strand, place: Place) {
    this.#life = life;
    this.#strand = strand;
    this.#cursor = new Cursor(life.journal, place);
  }

  get actorId(): string {
    return this.#life.instance.id;
  }

  get name(): string {
    return this.#life.instance.kind.name;
  }

  get key(): ActorKey {
    return this.#life.instance.key;
  }

  get input(): unknown {
    return this.#life.instance.record.input;
  }

  get log(): Logger {
    return this.#life.instance.log;
  }

  async ended(): Promise<void> {
    if (this.#isOver) return await never();
    try {
      this.#cursor.requireEnd();
    } catch (error) {
      return await this.#refused(error);
    }
  }

  async step<Result>(
    name: string,
    first: unknown,
    second?: (c: never) => Result | Promise<Result>,
  ): Promise<Result> {
    const options = (second === undefined ? {} : first) as StepOptions<ActorShape, Result>;
    const { was, rollback, ...policy } = options;
    const plan: StepPlan = { ...policy, run: (second ?? first) as StepPlan["run"] };
    const undo = rollback && { ...policy, turn: undefined, run: rollback as Undo["run"] };
    const wanted = { kind: "step" as const, name, was, state: "pending" as const };
    return await this.#entry(wanted, async (row) => {
      if (undo !== undefined) this.#undoable(row, undo);
      if (row.state === "failed") throw failureOf(row);
      if (!isDone(row)) await runStep(this.#life, this.#strand, row, plan);
      return this.#output(row) as Result;
    });
  }

  async sleep(name: string, ms: number, options: EntryOptions = {}): Promise<void> {
    await this.sleepUntil(name, this.#life.journal.now + ms, options);
  }

  async sleepUntil(name: string, atMs: number, { was }: EntryOptions = {}): Promise<void> {
    const deadline = Math.ceil(requireTime(atMs));
    const begun = { deadline, wakesAt: deadline, state: "sleeping" as const };
    await this.#entry({ kind: "sleep", name, was, ...begun }, async (row) => {
      if (isDone(row)) return;
      await this.#strand.until(row.deadline ?? 0);
      if (this.#life.isOver) return await never();
      this.#complete(row);
    });
  }

  async message(name: string, options: MessageOptions<string> = {}): Promise<never> {
    const { was, timeoutMs } = options;
    const { journal } = this.#life;
    const time = timeoutMs === undefined ? {} : { wakesAt: journal.now + requireTime(timeoutMs) };
    const wanted = { kind: "message" as const, name, was, state: "sleeping" as const, ...time };
    const message: unknown = await this.#entry(
      wanted,
      async (row) => await receiveMessage(this.#life, this.#strand, row, options),
    );
    return message as never;
  }

  async loop<Result>(
    name: string,
    given: unknown,
    second?: (w: WorkflowContext, state: unknown) => Promise<LoopResult<unknown, Result>>,
  ): Promise<Result> {
    const { was, state, keep } = (second === undefined ? {} : given) as LoopOptions<unknown>;
    const body = (second ?? given) as NonNullable<typeof second>;
    const first = { iteration: 0, state: this.#life.journal.encode(state) };
    const wanted = { kind: "loop" as const, name, was, loop: { ...first, base: first } };
    return await this.#entry(wanted, async (row) => {
      await runLoop(this.#life, this.#strand, row, { body, keep });
      return this.#output(row) as Result;
    });
  }

  async join<Branches extends Readonly<Record<string, Branch<ActorShape>>>>(
    name: string,
    branches: Branches,
    { was }: EntryOptions = {},
  ): Promise<{ readonly [Name in keyof Branches]: Awaited<ReturnType<Branches[Name]>> }> {
    return await this.#entry({ kind: "join", name, was, branches: {} }, async (row) => {
      return (await runJoin(this.#life, this.#strand, row, branches)) as never;
    });
  }

  async race<Branches extends Readonly<Record<string, Branch<ActorShape>>>>(
    name: string,
    branches: Branches,
    { was }: EntryOptions = {},
  ): Promise<RaceResult<Branches>> {
    return await this.#entry({ kind: "race", name, was, branches: {} }, async (row) => {
      return (await runRace(this.#life, this.#strand, row, branches)) as RaceResult<Branches>;
    });
  }

  async rollbackCheckpoint(name: string): Promise<void> {
    await this.#entry({ kind: "rollback_checkpoint", name }, async (row) => {
      const { undo, journal } = this.#life;
      // Nothing before it is undone any more.
      for (const seq of undo.keys()) if (seq < row.seq) undo.delete(seq);
      if (isDone(row)) return;
      this.#complete(row);
      journal.set({ checkpoint: row.seq });
    });
  }

  async removed(name: string, kind: EntryKind): Promise<void> {
    if (this.#isOver) return await never();
    const { journal } = this.#life;
    const row = this.#cursor.skip({ kind, name });
    if (row === undefined) return;
    journal.drop(journal.within(row.seq));
    const { seq, parent, branch, attempts, interruptions, createdAt } = row;
    const kept = { seq, parent, branch, name, attempts, interruptions, createdAt };
    const endedAt = journal.now;
    journal.put({ ...kept, kind: "removed", state: "completed", originalKind: kind, endedAt });
  }

  async version(name: string, latest: number): Promise<number> {
    if (this.#isOver) return await never();
    const known = this.#cursor.skip({ kind: "version_check", name });
    if (known !== undefined) return known.version?.resolved ?? latest;
    // Workflows that have gone past here did so before it was asked for.
    if (!this.#cursor.isAtEnd) return 1;
    const version = { resolved: latest, latest };
    return await this.#entry({ kind: "version_check", name, version }, async (row) => {
      if (!isDone(row)) this.#complete(row);
      return latest;
    });
  }

  /** Whether nothing of it counts any more. */
  get #isOver(): boolean {
    return this.#life.isOver || this.#strand.signal.aborted;
  }

  /** Comes to the next entry: the one of the history, or a new one. */
  async #entry<T>(wanted: Wanted, run: (row: EntryRow) => Promise<T>): Promise<T> {
    if (this.#isOver) return await never();
    let row: EntryRow | undefined;
    try {
      this.#requireRest(wanted.name);
      row = this.#cursor.find(wanted);
      if (this.#strand.isPast && !isPassable(row)) return await this.#strand.stop();
      row ??= this.#cursor.add(wanted);
    } catch (error) {
      return await this.#refused(error);
    }
    this.#busy = wanted.name;
    try {
      return await run(row);
    } finally {
      this.#busy = undefined;
      if (this.#isOver) await never();
    }
  }

  /** What is wrong with the code stops it; what is too much fails it. */
  async #refused(error: unknown): Promise<never> {
    if (ActrError.is(error) && error.code === "workflow.too_large") throw error;
    this.#life.halt(error);
    return await never();
  }

  #requireRest(name: string): void {
    if (this.#busy === undefined) return;
    const message = `"${name}" is begun before "${this.#busy}" has ended: await each entry, use the context that loops and branches are given, and join() for what goes on side by side`;
    throw new TypeError(message);
  }

  #undoable(row: EntryRow, undo: Undo): void {
    this.#life.undo.set(row.seq, undo);
    if (row.undo !== true) this.#life.journal.change(row, { undo: true });
  }

  #complete(row: EntryRow): void {
    const { journal } = this.#life;
    journal.change(row, { state: "completed", endedAt: journal.now, wakesAt: undefined });
  }

  #output({ seq }: EntryRow): unknown {
    const output = this.#life.journal.entry(seq)?.output;
    return output && decodeCbor(output);
  }
}

/** Whether code that only goes over what has been can pass an entry, or go into it. */
function isPassable(row: EntryRow | undefined): boolean {
  if (row === undefined) return false;
  const hasParts = row.kind === "loop" || row.kind === "join" || row.kind === "race";
  return hasParts || isDone(row) || row.state === "failed";
}

function failureOf({ error }: EntryRow): ActrError {
  return thrown(error ?? { code: "internal", message: "it failed" });
}

function requireTime(ms: number): number {
  if (Number.isFinite(ms)) return ms;
  throw new RangeError(`a time of ${ms} ms is none`);
}
