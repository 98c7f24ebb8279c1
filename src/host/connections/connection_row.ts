import type { RecordEntry, StoreChange } from "../../ports/store.ts";
import { decodeRow, encodeRow } from "../state/stored_row.ts";

/** Begins the keys of connections among an actor's rows. */
const prefix = "c:";

/** A connection that hibernates, as it is stored. */
export interface ConnectionRow {
  readonly id: string;
  readonly params: unknown;
  readonly state: unknown;
  readonly events: readonly string[];
}

/** The change that stores a connection. @throws ActrError `actor.unsupported_value`. */
export function putConnection(space: string, { id, ...row }: ConnectionRow): StoreChange {
  return { kind: "record.put", space, key: prefix + id, value: encodeRow(row) };
}

/** The change that deletes a connection. */
export function deleteConnection(space: string, id: string): StoreChange {
  return { kind: "record.delete", space, key: prefix + id };
}

/** The id of a stored connection. */
export function connectionIdOf({ key }: RecordEntry): string {
  return key.slice(prefix.length);
}

/** A stored connection. @throws ActrError `protocol.invalid_persisted_data`. */
export function readConnection(entry: RecordEntry): ConnectionRow {
  const id = connectionIdOf(entry);
  return { ...decodeRow<Omit<ConnectionRow, "id">>(entry.value, `connection ${id}`), id };
}
