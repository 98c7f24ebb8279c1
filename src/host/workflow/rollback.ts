import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type { Life, Undo } from "./life.ts";
import { type EntryRow, isDone, recorded } from "./rows.ts";
import { attempt, defaultPolicy, isFinal, pauseAfter } from "./step.ts";
import { never } from "./strand.ts";

/** Undoes the steps since the last checkpoint that say how, the last first. One that cannot be undone keeps none from it. */
export async function rollBack(life: Life): Promise<void> {
  const { journal } = life;
  const from = journal.checkpoint;
  const rows = journal.entries.filter((row) => row.seq > from && isUndoable(row));
  rows.sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.seq - a.seq);
  for (const row of rows) {
    const undo = life.undo.get(row.seq);
    if (undo !== undefined) await undoStep(life, row, undo);
    else journal.change(row, { rollbackError: recorded("the code does not say how any more") });
    if (life.isOver) return await never();
  }
}

function isUndoable(row: EntryRow): boolean {
  const { undo, rolledBackAt, rollbackError } = row;
  return undo === true && isDone(row) && rolledBackAt === undefined && rollbackError === undefined;
}

async function undoStep(life: Life, { seq }: EntryRow, undo: Undo): Promise<void> {
  const { journal, instance, root } = life;
  const policy = { ...defaultPolicy, ...undo };
  const row = (): EntryRow => journal.entry(seq) as EntryRow;
  const { name, output } = row();
  journal.change(row(), { state: "rolling_back" });
  for (let tries = 0, over = false; !over; ) {
    let pauseUntil = 0;
    const counts = await attempt(life, root, {
      name: `rollback of ${name}`,
      turn: "exclusive",
      timeoutMs: policy.timeoutMs,
      isSuspect: false,
      run: (c) => undo.run(c, output && decodeCbor(output)),
      begins: () => ({ attempt: ++tries, idempotencyKey: `${instance.id}:${seq}:rollback` }),
      goesOn: () => journal.save(),
      done() {
        over = true;
        journal.change(row(), { state: "cancelled", rolledBackAt: journal.now });
      },
      failed(cause) {
        over = isFinal(cause, policy) || tries > policy.maxRetries;
        instance.report(cause, "run");
        pauseUntil = journal.now + pauseAfter(tries, policy);
        const rollbackError = over ? recorded(cause) : undefined;
        journal.change(row(), { state: over ? "completed" : "rolling_back", rollbackError });
      },
      abandoned() {},
    });
    if (!counts) return await never();
    await journal.saved();
    if (!over) await root.until(pauseUntil);
    if (life.isOver) return await never();
  }
}
