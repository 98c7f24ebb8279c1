import { ActrError } from "../errors.ts";
import type { RecordEntry, StoreChange } from "../ports/store.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";

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
  return { kind: "record.put", space, key: prefix + id, value: encodeCbor(row) };
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
  try {
    return { ...(decodeCbor(entry.value) as Omit<ConnectionRow, "id">), id };
  } catch (cause) {
    const message = `connection ${id} cannot be read`;
    throw new ActrError("protocol.invalid_persisted_data", message, { cause });
  }
}
