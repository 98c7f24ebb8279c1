import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type { LoopResult, WorkflowContext } from "../../workflow.ts";
import type { Journal } from "./journal.ts";
import type { Life } from "./life.ts";
import { type EntryRow, isDone, type LoopPosition } from "./rows.ts";
import type { Strand } from "./strand.ts";

/** What a loop does. */
export interface LoopPlan {
  readonly body: (
    w: WorkflowContext,
    state: unknown,
  ) => Promise<LoopResult<unknown, unknown> | undefined>;
  /** Iterations whose entries are kept. @default 20 */
  readonly keep: number | undefined;
}

/**
 * Runs a loop until its body says that it is done. It begins with the iteration that its entry names, or, if steps of
 * earlier ones may have to be undone, with the first of those, so that their code tells how.
 */
export async function runLoop(
  life: Life,
  strand: Strand,
  { seq }: EntryRow,
  { body, keep = 20 }: LoopPlan,
): Promise<void> {
  const { journal, clock } = life;
  const row = (): EntryRow & { readonly loop: LoopPosition } =>
    journal.entry(seq) as EntryRow & { readonly loop: LoopPosition };
  const again = journal.hasUndo(seq);
  if (isDone(row()) && !again) return;
  let { iteration, state } = again ? row().loop.base : row().loop;
  for (;;) {
    const scope = life.open(strand, { parent: seq, branch: String(iteration) });
    const result = (await body(scope, decodeCbor(state))) ?? { next: undefined };
    await scope.ended();
    if ("done" in result) return finish(journal, row(), result.done);
    const before = { iteration, state };
    iteration += 1;
    state = journal.encode(result.next);
    if (iteration <= row().loop.iteration) continue;
    const base = baseOf(journal, row(), before) ?? { iteration, state };
    journal.change(row(), { loop: { iteration, state, base } });
    forget(journal, seq, Math.min(iteration - keep, base.iteration));
    // A body that waits for nothing leaves the others of this process their turn.
    await new Promise<void>((resolve) => clock.defer(resolve));
  }
}

/** Where a loop would have to begin again for the sake of steps that may have to be undone; undefined for nowhere. */
function baseOf(
  journal: Journal,
  { seq, loop }: EntryRow & { readonly loop: LoopPosition },
  last: { readonly iteration: number; readonly state: Uint8Array },
): LoopPosition["base"] | undefined {
  const undoable = journal.undoable(seq);
  if (undoable.length === 0) return undefined;
  const ofLast = journal.at({ parent: seq, branch: String(last.iteration) });
  const first = ofLast[0]?.seq ?? Number.POSITIVE_INFINITY;
  return undoable.some((row) => row.seq < first) ? loop.base : last;
}

function finish(journal: Journal, row: EntryRow, result: unknown): void {
  if (isDone(row)) return;
  const output = journal.encode(result);
  journal.change(row, { state: "completed", output, endedAt: journal.now });
}

/** Deletes the entries of the iterations before one. */
function forget(journal: Journal, seq: number, before: number): void {
  for (let iteration = before - 1; iteration >= 0; iteration--) {
    const rows = journal.at({ parent: seq, branch: String(iteration) });
    if (rows.length === 0) return;
    journal.drop(rows.flatMap((row) => [...journal.within(row.seq), row]));
  }
}
