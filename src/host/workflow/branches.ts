import type { ActorShape } from "../../actor.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { withResolvers } from "../../with_resolvers.ts";
import type { Branch } from "../../workflow.ts";
import type { RecordedError } from "./history.ts";
import type { Life } from "./life.ts";
import { type BranchRecord, type EntryRow, recorded, thrown } from "./rows.ts";
import { never, type Strand } from "./strand.ts";

type Branches = Readonly<Record<string, Branch<ActorShape>>>;

const maxBranches = 100;

/** Runs branches to their ends; their outputs by name. @throws ActrError what the first of those that failed failed with. */
export async function runJoin(
  life: Life,
  strand: Strand,
  { seq }: EntryRow,
  branches: Branches,
): Promise<Readonly<Record<string, unknown>>> {
  const parts = new Parts(life, strand, seq, branches);
  await run(parts, () => {
    if (!parts.haveEnded) return;
    const error = parts.firstError;
    parts.settle({ state: error === undefined ? "completed" : "failed", error });
  });
  if (parts.row.error !== undefined) throw thrown(parts.row.error);
  return Object.fromEntries(parts.names.map((name) => [name, outputOf(parts.record(name))]));
}

/** Runs branches until one succeeds: that ends the others. @throws ActrError what the first failed with, when all have. */
export async function runRace(
  life: Life,
  strand: Strand,
  { seq }: EntryRow,
  branches: Branches,
): Promise<{ readonly winner: string; readonly value: unknown }> {
  const parts = new Parts(life, strand, seq, branches);
  await run(parts, () => {
    const first = parts.names.find((name) => parts.record(name)?.state === "completed");
    if (first !== undefined) parts.win(first);
    else if (parts.haveEnded) parts.settle({ state: "failed", error: parts.firstError });
  });
  const { winner, error } = parts.row;
  if (error !== undefined) throw thrown(error);
  return { winner: winner as string, value: outputOf(parts.record(winner as string)) };
}

/** Runs what there is to run until `decide`, which is asked whenever a branch has ended, settles the entry. */
async function run(parts: Parts, decide: () => void): Promise<void> {
  if (!parts.isToRun) return;
  const end = withResolvers<void>();
  const look = (): void => {
    if (parts.row.endedAt === undefined) decide();
    if (parts.row.endedAt !== undefined) end.resolve();
  };
  parts.run((name, record) => {
    parts.note(name, record);
    look();
  });
  look();
  await parts.over(end.promise);
}

/** The branches of one entry, and what they have come to. */
class Parts {
  readonly names: readonly string[];
  readonly #life: Life;
  readonly #strand: Strand;
  readonly #seq: number;
  readonly #branches: Branches;
  readonly #strands = new Map<string, Strand>();
  /** Each resolves when a branch has ended, or is where its history ends. */
  readonly #passed: Promise<void>[] = [];

  constructor(life: Life, strand: Strand, seq: number, branches: Branches) {
    this.#life = life;
    this.#strand = strand;
    this.#seq = seq;
    this.#branches = branches;
    this.names = Object.keys(branches);
    if (this.names.length === 0 || this.names.length > maxBranches) {
      throw new RangeError(`1 to ${maxBranches} branches are possible, not ${this.names.length}`);
    }
  }

  get row(): EntryRow {
    return this.#life.journal.entry(this.#seq) as EntryRow;
  }

  /** Whether there is something to run: to come to an end, or to tell how steps are undone. */
  get isToRun(): boolean {
    return this.row.endedAt === undefined || this.#life.journal.hasUndo(this.#seq);
  }

  get haveEnded(): boolean {
    return this.names.every((name) => this.record(name) !== undefined);
  }

  get firstError(): RecordedError | undefined {
    return this.names.map((name) => this.record(name)?.error).find((error) => error !== undefined);
  }

  record(name: string): BranchRecord | undefined {
    return this.row.branches?.[name];
  }

  /** Runs those that have not ended, and all where steps may have to be undone. */
  run(onEnd: (name: string, record: BranchRecord) => void): void {
    const again = this.#life.journal.hasUndo(this.#seq);
    const isOver = this.row.endedAt !== undefined;
    for (const name of this.names) {
      const hasEnded = this.record(name) !== undefined;
      const isPast = this.#strand.isPast || isOver || hasEnded;
      if (again || !hasEnded) this.#strands.set(name, this.#strand.fork(isPast));
    }
    for (const [name, strand] of this.#strands) {
      const ended = this.#branch(name, strand).then((record) => {
        // Whoever waits for all of them goes on in the same instant.
        if (!strand.isPast) onEnd(name, record);
        strand.end();
      });
      this.#passed.push(Promise.race([ended, strand.stopped]));
    }
  }

  /** Notes what a branch has come to. */
  note(name: string, record: BranchRecord): void {
    if (this.record(name) !== undefined) return;
    const branches = { ...this.row.branches, [name]: record };
    this.#life.journal.change(this.row, { branches });
  }

  settle(end: Partial<EntryRow>): void {
    const { journal } = this.#life;
    journal.change(this.row, { ...end, endedAt: journal.now });
    journal.save();
  }

  /** One has won: the others end where they are. */
  win(winner: string): void {
    const { journal } = this.#life;
    const endedAt = journal.now;
    const cancelled = { state: "cancelled" as const };
    const all = this.names.map((name) => [name, this.record(name) ?? cancelled]);
    for (const [name, strand] of this.#strands) {
      if (name === winner) continue;
      void strand.stop();
      strand.cancel();
    }
    for (const row of journal.within(this.#seq)) {
      if (row.endedAt !== undefined) continue;
      journal.change(row, { ...cancelled, endedAt, wakesAt: undefined });
    }
    this.settle({ state: "completed", winner, branches: Object.fromEntries(all) });
  }

  /** Resolves when the entry has ended, and those that only go over what has been have done so. */
  async over(ended: Promise<void>): Promise<void> {
    if (!this.#strand.isPast) await ended;
    await Promise.all(this.#passed);
    if (this.row.endedAt === undefined) await this.#strand.stop();
    for (const strand of this.#strands.values()) strand.cancel();
  }

  async #branch(name: string, strand: Strand): Promise<BranchRecord> {
    const life = this.#life;
    const scope = life.open(strand, { parent: this.#seq, branch: name });
    let record: BranchRecord;
    try {
      const output = await this.#branches[name]?.(scope);
      record = { state: "completed", output: life.journal.encode(output) };
    } catch (error) {
      record = { state: "failed", error: recorded(error) };
    }
    if (life.isOver || strand.signal.aborted) return await never();
    if (record.state === "completed") await scope.ended();
    return record;
  }
}

function outputOf(record: BranchRecord | undefined): unknown {
  return record?.output && decodeCbor(record.output);
}
