import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type {
  BranchView,
  EntryDetail,
  HistoryEntry,
  LocationSegment,
  WorkflowHistory,
} from "./history.ts";
import type { EntryRow, WorkflowRow } from "./rows.ts";

/** A workflow as it is shown, of what is stored; entries by creation. */
export function historyOf(workflow: WorkflowRow, rows: readonly EntryRow[]): WorkflowHistory {
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  const { state, output, error } = workflow;
  return { state, output: decoded(output), error, entries: rows.map((row) => viewOf(row, bySeq)) };
}

function viewOf(row: EntryRow, rows: ReadonlyMap<number, EntryRow>): HistoryEntry {
  const { seq, state, attempts, createdAt, startedAt, endedAt, wakesAt, error } = row;
  const { rolledBackAt, rollbackError } = row;
  return {
    id: String(seq),
    location: locationOf(row, rows),
    state,
    detail: detailOf(row),
    attempts,
    createdAt,
    startedAt,
    endedAt,
    wakesAt,
    error,
    rolledBackAt,
    rollbackError,
  };
}

function locationOf(row: EntryRow, rows: ReadonlyMap<number, EntryRow>): LocationSegment[] {
  const parent = rows.get(row.parent);
  if (parent === undefined) return [row.name];
  const above = locationOf(parent, rows);
  if (parent.kind !== "loop") return [...above, row.branch, row.name];
  const iteration = { loop: parent.name, iteration: Number(row.branch) };
  return [...above.slice(0, -1), iteration, row.name];
}

function detailOf(row: EntryRow): EntryDetail {
  switch (row.kind) {
    case "step":
      return { kind: "step", output: decoded(row.output) };
    case "loop":
      return {
        kind: "loop",
        iteration: row.loop?.iteration ?? 0,
        state: decoded(row.loop?.state),
        output: decoded(row.output),
      };
    case "sleep":
      return { kind: "sleep", deadline: row.deadline ?? row.createdAt };
    case "message":
      return { kind: "message", ...messageOf(row) };
    case "join":
      return { kind: "join", branches: branchesOf(row) };
    case "race":
      return { kind: "race", branches: branchesOf(row), winner: row.winner };
    case "rollback_checkpoint":
      return { kind: "rollback_checkpoint" };
    case "removed":
      return { kind: "removed", originalKind: row.originalKind ?? "step" };
    case "version_check":
      return { kind: "version_check", ...(row.version ?? { resolved: 1, latest: 1 }) };
  }
}

function messageOf({ message }: EntryRow): Omit<EntryDetail & { kind: "message" }, "kind"> {
  if (message === undefined) return {};
  const { id, queue, body, sentAt } = message;
  return { message: { id, queue, body: decodeCbor(body), sentAt } };
}

function branchesOf({ branches = {} }: EntryRow): BranchView[] {
  return Object.entries(branches).map(([name, { state, output, error }]) => ({
    name,
    state,
    output: decoded(output),
    ...(error && { error }),
  }));
}

function decoded(bytes: Uint8Array | undefined): unknown {
  return bytes && decodeCbor(bytes);
}
