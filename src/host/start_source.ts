import type { ActorKey } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { Store } from "../ports/store.ts";
import { checkedBy } from "./check.ts";
import { type ActorRecord, type Contents, readContents } from "./contents.ts";
import type { ActorKind } from "./host_components.ts";

/** What a start begins with. */
export interface StartSource {
  readonly record: ActorRecord;
  /** None of a new actor. */
  readonly contents: Contents | undefined;
}

/** Who a new actor is. @throws ActrError `actor.invalid_request` for an input that its definition refuses. */
export async function newRecord(
  { name, definition }: ActorKind,
  key: ActorKey,
  input: unknown,
  createdAt: number,
): Promise<ActorRecord> {
  const checked = await checkedBy(definition.input, input, "actor.invalid_request");
  return { name, key, input: checked, createdAt, stateVersion: definition.stateVersion ?? 1 };
}

/** What is stored of an actor. @throws ActrError `actor.not_found`, `protocol.invalid_persisted_data`. */
export async function readSource(store: Store, id: string): Promise<StartSource> {
  const contents = await readContents(store, id);
  if (contents !== undefined) return { record: contents.record, contents };
  throw new ActrError("actor.not_found", `there is no actor ${id}`);
}
