import { ActrError } from "../../errors.ts";
import type { Journal } from "./journal.ts";
import type { EntryRow } from "./rows.ts";

/**
 * Forgets an entry and all that was created after it; inside a loop, from the outermost one on; of a workflow that was
 * rolled back, from the first step that was undone. What remains and has lost a part is open again: a join or a race
 * without the branches that did; a loop is forgotten whole.
 * @throws ActrError `workflow.entry_not_found`.
 */
export function cutFrom(journal: Journal, id: string): void {
  const entry = journal.entry(Number(id));
  if (entry === undefined) {
    throw new ActrError("workflow.entry_not_found", `the workflow has no entry ${id}`);
  }
  const undone = journal.entries.find(({ rolledBackAt }) => rolledBackAt !== undefined);
  const first = undone !== undefined && undone.seq < entry.seq ? undone : entry;
  const { seq } = outermostLoop(journal, first) ?? first;
  const gone = new Set(journal.entries.filter((row) => row.seq >= seq).map((row) => row.seq));
  for (let loop = brokenLoop(journal, gone); loop !== undefined; loop = brokenLoop(journal, gone)) {
    gone.add(loop.seq);
    for (const row of journal.within(loop.seq)) gone.add(row.seq);
  }
  for (const row of reopened(journal, gone)) journal.put(row);
  journal.drop(journal.entries.filter((row) => gone.has(row.seq)));
  if (journal.checkpoint >= seq) journal.set({ checkpoint: lastCheckpoint(journal) });
}

function outermostLoop(journal: Journal, entry: EntryRow): EntryRow | undefined {
  return ancestors(journal, entry).findLast(({ kind }) => kind === "loop");
}

function lastCheckpoint(journal: Journal): number | undefined {
  return journal.entries.findLast(({ kind }) => kind === "rollback_checkpoint")?.seq;
}

/** Innermost first. */
function ancestors(journal: Journal, entry: EntryRow): EntryRow[] {
  const parent = journal.entry(entry.parent);
  return parent === undefined ? [] : [parent, ...ancestors(journal, parent)];
}

/** A loop that would remain without some of its entries. */
function brokenLoop(journal: Journal, gone: ReadonlySet<number>): EntryRow | undefined {
  return journal.entries.find(
    (row) =>
      row.kind === "loop" &&
      !gone.has(row.seq) &&
      journal.within(row.seq).some(({ seq }) => gone.has(seq)),
  );
}

function* reopened(journal: Journal, gone: ReadonlySet<number>): Generator<EntryRow> {
  for (const row of journal.entries) {
    if (gone.has(row.seq) || row.branches === undefined) continue;
    const broken = brokenBranches(journal, row, gone);
    if (broken.size === 0) continue;
    const whole = Object.entries(row.branches).filter(
      ([name, { state }]) => !broken.has(name) && state !== "cancelled",
    );
    const open = {
      state: "running" as const,
      endedAt: undefined,
      error: undefined,
      winner: undefined,
    };
    yield { ...row, ...open, branches: Object.fromEntries(whole) };
  }
}

/** Branches of an entry that lose some of theirs. */
function brokenBranches(
  journal: Journal,
  { seq }: EntryRow,
  gone: ReadonlySet<number>,
): ReadonlySet<string> {
  const broken = journal.within(seq).filter((row) => gone.has(row.seq));
  return new Set(
    broken.map((row) => {
      const chain = [row, ...ancestors(journal, row)];
      return chain.find(({ parent }) => parent === seq)?.branch ?? "";
    }),
  );
}
