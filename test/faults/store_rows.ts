import type { MailboxRow, Store } from "../../src/ports/store.ts";
import { row } from "../conformance/store_samples.ts";

/** A row whose payload tells its seq over several pages, so that a torn one shows. */
export function numberedRow(seq: number): MailboxRow {
  return row(seq, { payload: new Uint8Array(seq % 10_000).fill(seq % 251) });
}

/** Records that count how often each row was handled. */
export const effectSpace = "effect";

/** How often a row was handled, as far as the store knows. */
export async function effectOf(store: Store, seq: number): Promise<number> {
  return (await store.record(effectSpace, String(seq)))?.[0] ?? 0;
}

/** The rows of a store and whether each is as it was put. */
export async function numberedRows(
  store: Store,
): Promise<{ readonly seq: number; readonly attempts: number; readonly whole: boolean }[]> {
  const rows = await store.mailboxRows(0, Number.MAX_SAFE_INTEGER);
  return rows.map((found) => ({
    seq: found.seq,
    attempts: found.attempts,
    whole: isWhole(found),
  }));
}

function isWhole({ seq, id, payload }: MailboxRow): boolean {
  const expected = numberedRow(seq);
  return id === expected.id && Buffer.compare(payload, expected.payload) === 0;
}
