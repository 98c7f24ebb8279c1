import type { ActorKey } from "../actor.ts";
import type { RecordEntry, Store, StoreChange } from "../ports/store.ts";
import { formatActorKey, parseActorKey } from "../protocol/actors/actor_key.ts";
import { utf8 } from "../protocol/bytes.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import type { SqlPool } from "./sql/sql_pool.ts";
import { decodeRow, encodeRow } from "./state/stored_row.ts";

/** Who an actor is, for as long as it lives. */
export interface ActorRecord {
  readonly name: string;
  readonly key: ActorKey;
  readonly input: unknown;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Version of its state. */
  readonly stateVersion: number;
}

/** What an actor left in the store, as a start reads it. */
export interface Contents {
  readonly record: ActorRecord;
  /** Of the last life that changed something; the first is 1. */
  readonly generation: number;
  /** Encoded; undefined when it was never saved. */
  readonly state: Uint8Array | undefined;
  /** Rows of its parts, by the key's first letter. */
  readonly rows: ReadonlyMap<RowKind, readonly RecordEntry[]>;
}

/** Parts of an actor whose rows are read at its start: connections, queues, requests, schedules. */
export type RowKind = "c" | "q" | "r" | "t";

/** Where the contents of actors are. */
export interface ActorPlaces {
  readonly store: Store;
  readonly sql: SqlPool | undefined;
}

/** One line of a list of actors. */
export interface ActorAddress {
  readonly id: string;
  readonly name: string;
  readonly key: ActorKey;
}

/** Space of the index: `NAME LF KEY` → id. */
const indexSpace = "actors";
/** Space of the ids of actors that are gone, and whose rows may not be. */
const goneSpace = "actors-gone";
const recordKey = "!";
const generationKey = "g";
const stateKey = "s";
const noValue = new Uint8Array(0);
const pageSize = 1000;
const decoder = new TextDecoder();

/** Space of what is read at an actor's start. */
export function actorSpace(id: string): string {
  return `actor:${id}`;
}

/** Space of an actor's own keys and values. */
export function valueSpace(id: string): string {
  return `actor-kv:${id}`;
}

/** Space of the history of an actor's workflow. */
export function workflowSpace(id: string): string {
  return `actor-wf:${id}`;
}

/** Space of the last runs of an actor's schedules. */
export function runsSpace(id: string): string {
  return `actor-runs:${id}`;
}

/** The changes that make a new actor. */
export function creation(id: string, record: ActorRecord): StoreChange[] {
  const { name, key } = record;
  return [
    { kind: "record.put", space: indexSpace, key: indexKey(name, key), value: utf8(id) },
    recordChange(id, record),
  ];
}

/** The change that stores who an actor is. */
export function recordChange(id: string, record: ActorRecord): StoreChange {
  return { kind: "record.put", space: actorSpace(id), key: recordKey, value: encodeRow(record) };
}

/** The change that stores which life of an actor this is. */
export function generationChange(id: string, generation: number): StoreChange {
  const value = encodeCbor(generation);
  return { kind: "record.put", space: actorSpace(id), key: generationKey, value };
}

/** The change that stores an actor's state. */
export function stateChange(space: string, state: unknown): StoreChange {
  return { kind: "record.put", space, key: stateKey, value: encodeCbor(state) };
}

/** The id of an actor; undefined when there is none. */
export async function actorIdOf(
  store: Store,
  name: string,
  key: ActorKey,
): Promise<string | undefined> {
  const value = await store.record(indexSpace, indexKey(name, key));
  return value && decoder.decode(value);
}

/** Who an actor is; undefined when there is none. @throws as {@link readContents}. */
export async function actorRecordOf(store: Store, id: string): Promise<ActorRecord | undefined> {
  const value = await store.record(actorSpace(id), recordKey);
  return value && readRecord(id, value);
}

/** The state of an actor as it was saved last, CBOR; undefined when it never was. */
export function actorStateOf(store: Store, id: string): Promise<Uint8Array | undefined> {
  return store.record(actorSpace(id), stateKey);
}

/** Actors of a definition, ascending by key as the index has it, after `afterKey`. */
export async function listActors(
  store: Store,
  name: string,
  afterKey: ActorKey | undefined,
  limit: number,
): Promise<ActorAddress[]> {
  const prefix = `${name}\n`;
  const after = afterKey === undefined ? prefix : indexKey(name, afterKey);
  const entries = await store.records(indexSpace, after, limit);
  const ours = entries.filter((entry) => entry.key.startsWith(prefix));
  return ours.map((entry) => ({
    id: decoder.decode(entry.value),
    name,
    key: parseActorKey(entry.key.slice(prefix.length)),
  }));
}

/** Ids of all actors, whatever their definition. */
export async function* everyActor(store: Pick<Store, "records">): AsyncGenerator<string> {
  for (let after = ""; ; ) {
    const page = await store.records(indexSpace, after, pageSize);
    for (const { value } of page) yield decoder.decode(value);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/**
 * Everything of an actor that a start needs; undefined when there is no such actor.
 * @throws ActrError `protocol.invalid_persisted_data` for a record that cannot be read.
 */
export async function readContents(store: Store, id: string): Promise<Contents | undefined> {
  const space = actorSpace(id);
  let record: ActorRecord | undefined;
  let state: Uint8Array | undefined;
  let generation = 1;
  const rows = new Map<RowKind, RecordEntry[]>();
  for (let after = ""; ; ) {
    const page = await store.records(space, after, pageSize);
    for (const entry of page) {
      if (entry.key === recordKey) record = readRecord(id, entry.value);
      else if (entry.key === stateKey) state = entry.value;
      else if (entry.key === generationKey) generation = decodeCbor(entry.value) as number;
      else addRow(rows, entry);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.key;
  }
  return record && { record, generation, state, rows };
}

/** The changes that end an actor: nobody finds it any more. They leave word of its rows to {@link finishDeletions}. */
export function ending(id: string, { name, key }: ActorRecord): StoreChange[] {
  return [
    { kind: "record.delete", space: indexSpace, key: indexKey(name, key) },
    { kind: "record.delete", space: actorSpace(id), key: recordKey },
    { kind: "record.put", space: goneSpace, key: id, value: noValue },
  ];
}

/** Deletes what is left of actors that were being deleted when their process ended. Rejects with what a commit fails with. */
export async function finishDeletions(places: ActorPlaces): Promise<void> {
  for (let after = ""; ; ) {
    const page = await places.store.records(goneSpace, after, pageSize);
    for (const { key } of page) await deleteRest(places, key);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** Deletes what is left of an actor that has ended, page by page. Rejects with what a commit fails with. */
export async function deleteRest({ store, sql }: ActorPlaces, id: string): Promise<void> {
  await sql?.delete(id);
  for (const space of [valueSpace(id), runsSpace(id), workflowSpace(id), actorSpace(id)]) {
    for (let more = true; more; ) {
      const page = await store.records(space, "", pageSize);
      more = page.length === pageSize;
      if (page.length === 0) continue;
      await store.commit(page.map((entry) => ({ kind: "record.delete", space, key: entry.key })));
    }
  }
  await store.commit([{ kind: "record.delete", space: goneSpace, key: id }]);
}

function indexKey(name: string, key: ActorKey): string {
  return `${name}\n${formatActorKey(key)}`;
}

function addRow(rows: Map<RowKind, RecordEntry[]>, entry: RecordEntry): void {
  const kind = entry.key[0] as RowKind;
  const list = rows.get(kind);
  if (list === undefined) rows.set(kind, [entry]);
  else list.push(entry);
}

function readRecord(id: string, value: Uint8Array): ActorRecord {
  return decodeRow(value, `the record of actor ${id}`);
}
