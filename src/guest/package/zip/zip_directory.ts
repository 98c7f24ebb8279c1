import { type CentralEntry, readCentral } from "./central_header.ts";
import { requireLocal } from "./local_header.ts";
import { zipError } from "./zip_error.ts";
import { methods, records } from "./zip_records.ts";

/** Where a file is in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  /** Bytes, as declared. */
  readonly size: number;
  /** Its bytes as they stand in the archive. */
  readonly packed: Uint8Array;
}

/** Where the directory is. */
interface DirectoryPlace {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** Stand in fields whose value is elsewhere, in a zip64 record. */
const elsewhere = { count: 0xffff, offset: 0xffff_ffff } as const;

/**
 * The files of an archive by name, which all readers agree on: one disk, no comment, no zip64, no encryption, each name once
 * and a path below the archive, headers that say what the directory says, no byte in two entries (`spec/guest.md` §21 GD-6).
 * @throws ActrError `invalid_argument` with details `package: "zip_error"`.
 */
export function readZipDirectory(bytes: Uint8Array): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = findDirectory(view);
  const files = new Map<string, ZipEntry>();
  let free = 0;
  for (const entry of readEntries(bytes, view, place).sort((a, b) => a.localAt - b.localAt)) {
    const { name, size } = entry;
    if (entry.localAt < free) {
      throw zipError(`${JSON.stringify(name)} overlaps another entry`, name);
    }
    const packed = requireLocal(bytes, view, entry, place.start);
    free = packed.byteOffset - bytes.byteOffset + packed.length;
    files.set(name, { name, size, packed, deflated: entry.method === methods.deflated });
  }
  return files;
}

/** The record at the end says where it begins and where it ends, which is where that record begins. */
function findDirectory(view: DataView): DirectoryPlace {
  const end = view.byteLength - records.end.length;
  if (end < 0 || view.getUint32(end, true) !== records.end.mark) {
    throw zipError("it does not end as a ZIP archive without a comment does");
  }
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count === elsewhere.count || start === elsewhere.offset) {
    throw zipError("it is a zip64 archive");
  }
  const oneDisk = view.getUint32(end + 4, true) === 0 && view.getUint16(end + 8, true) === count;
  if (!oneDisk) throw zipError("it spans several disks");
  if (view.getUint16(end + 20, true) !== 0) throw zipError("its comment is cut off");
  if (start + view.getUint32(end + 12, true) !== end) {
    throw zipError("its directory does not end where the archive does");
  }
  return { count, start, end };
}

function readEntries(bytes: Uint8Array, view: DataView, place: DirectoryPlace): CentralEntry[] {
  const names = new Set<string>();
  const entries: CentralEntry[] = [];
  let at = place.start;
  while (entries.length < place.count) {
    const { entry, next } = readCentral(bytes, view, at, place.end);
    const { name } = entry;
    if (names.has(name)) throw zipError(`${JSON.stringify(name)} is there twice`, name);
    names.add(name);
    entries.push(entry);
    at = next;
  }
  if (at !== place.end) throw zipError("its directory has more than its entries");
  return entries;
}
