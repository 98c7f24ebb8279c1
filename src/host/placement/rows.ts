import type { RecordEntry, RecordExpectation, Store, StoreChange } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { shardText } from "./shards.ts";

/** One node that may own shards. */
export interface Member {
  readonly number: number;
  /** Unix milliseconds. */
  readonly expiresAt: number;
  /** Its ActrId as text. */
  readonly node: string;
  /** Its lease as it is stored. */
  readonly lease: Uint8Array;
}

/** Who owns what, as it was read. */
export interface PlacementTable {
  /** The last number that was given out, as it is stored. */
  readonly fence: Uint8Array | null;
  readonly members: ReadonlyMap<number, Member>;
  /** Numbers of owners, dead ones too, by shard. */
  readonly shards: ReadonlyMap<number, number>;
}

const space = "placement";
const fenceKey = "fence";
/** Rows of shards, and of more members than there are shards to own. */
const maxRows = 1000;

/** Nobody owns anything. */
export const emptyTable: PlacementTable = { fence: null, members: new Map(), shards: new Map() };

/** Reads who owns what. */
export async function readPlacement(store: Pick<Store, "records">): Promise<PlacementTable> {
  const members = new Map<number, Member>();
  const shards = new Map<number, number>();
  let fence: Uint8Array | null = null;
  for (const { key, value } of await store.records(space, "", maxRows)) {
    const [kind, name = ""] = key.split(":");
    if (kind === "lease") members.set(Number(name), readLease(Number(name), value));
    else if (kind === "shard") shards.set(Number.parseInt(name, 16), decodeCbor(value) as number);
    else if (key === fenceKey) fence = value;
  }
  return { fence, members, shards };
}

function readLease(number: number, lease: RecordEntry["value"]): Member {
  const [expiresAt, node] = decodeCbor(lease) as [number, string];
  return { number, expiresAt, node, lease };
}

/** The number of whom joins next. */
export function nextNumber({ fence }: PlacementTable): number {
  return fence === null ? 1 : (decodeCbor(fence) as number) + 1;
}

/** A lease as it is stored. */
export function leaseValue(expiresAt: number, node: string): Uint8Array {
  return encodeCbor([expiresAt, node]);
}

/** Holds as long as nobody has declared the member dead. */
export function fenceOf(number: number): RecordExpectation {
  return { kind: "record.expect", space, key: `member:${number}`, value: encodeCbor(number) };
}

/** A new member. */
export function joining(
  { fence }: PlacementTable,
  number: number,
  lease: Uint8Array,
): StoreChange[] {
  const value = encodeCbor(number);
  return [
    { kind: "record.expect", space, key: fenceKey, value: fence },
    { kind: "record.put", space, key: fenceKey, value },
    { kind: "record.put", space, key: `member:${number}`, value },
    { kind: "record.put", space, key: `lease:${number}`, value: lease },
  ];
}

/** Another lease for a member that has `lease`. */
export function renewal(number: number, lease: Uint8Array, next: Uint8Array): StoreChange[] {
  const key = `lease:${number}`;
  return [
    { kind: "record.expect", space, key, value: lease },
    { kind: "record.put", space, key, value: next },
  ];
}

/** The end of a member that has `lease`, by itself or by another. */
export function leaving(number: number, lease: Uint8Array): StoreChange[] {
  const key = `lease:${number}`;
  return [
    { kind: "record.expect", space, key, value: lease },
    { kind: "record.delete", space, key },
    { kind: "record.delete", space, key: `member:${number}` },
  ];
}

/** A member takes a shard that nobody owned, or a dead member. */
export function claim(shard: number, from: number | undefined, number: number): StoreChange[] {
  const key = `shard:${shardText(shard)}`;
  const value = from === undefined ? null : encodeCbor(from);
  const changes: StoreChange[] = [
    { kind: "record.expect", space, key, value },
    { kind: "record.put", space, key, value: encodeCbor(number) },
  ];
  if (from === undefined) return changes;
  return [{ kind: "record.expect", space, key: `member:${from}`, value: null }, ...changes];
}

/** A shard is nobody's. */
export function release(shard: number): StoreChange {
  return { kind: "record.delete", space, key: `shard:${shardText(shard)}` };
}
