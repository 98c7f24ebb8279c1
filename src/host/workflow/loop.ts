import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type { LoopResult, WorkflowContext } from "../../workflow.ts";
import type { Journal } from "./journal.ts";
import type { Life } from "./life.ts";
import { type EntryRow, isDone } from "./rows.ts";
import type { Strand } from "./strand.ts";

/** What a loop does. */
export interface LoopPlan {
  readonly body: (
    w: WorkflowContext,
    state: unknown,
  ) => Promise<LoopResult<unknown, unknown> | undefined>;
  /** Encoded. */
  readonly initial: Uint8Array;
  /** Iterations whose entries are kept. @default 20 */
  readonly keep: number | undefined;
}

/**
 * Runs a loop until its body says that it is done. It begins with the iteration that its entry names, or, if steps of
 * earlier ones may have to be undone, with the first, so that their code tells how.
 */
export async function runLoop(
  life: Life,
  strand: Strand,
  { seq }: EntryRow,
  { body, initial, keep = 20 }: LoopPlan,
): Promise<void> {
  const { journal, clock } = life;
  const row = (): EntryRow => journal.entry(seq) as EntryRow;
  const again = journal.hasUndo(seq);
  if (isDone(row()) && !again) return;
  let { iteration, state } = (again ? undefined : row().loop) ?? { iteration: 0, state: initial };
  for (;;) {
    const scope = life.open(strand, { parent: seq, branch: String(iteration) });
    const result = (await body(scope, decodeCbor(state))) ?? { next: undefined };
    await scope.ended();
    if ("done" in result) return finish(journal, row(), result.done);
    iteration += 1;
    state = journal.encode(result.next);
    if (iteration <= (row().loop?.iteration ?? 0)) continue;
    journal.change(row(), { loop: { iteration, state } });
    if (!journal.hasUndo(seq)) forget(journal, seq, iteration - keep);
    // A body that waits for nothing leaves the others of this process their turn.
    await new Promise<void>((resolve) => clock.defer(resolve));
  }
}

function finish(journal: Journal, row: EntryRow, result: unknown): void {
  if (isDone(row)) return;
  const output = journal.encode(result);
  journal.change(row, { state: "completed", output, endedAt: journal.now });
}

/** Deletes the entries of one iteration. */
function forget(journal: Journal, seq: number, iteration: number): void {
  const rows = journal.at({ parent: seq, branch: String(iteration) });
  journal.drop(rows.flatMap((row) => [...journal.within(row.seq), row]));
}
