import type { ActrError } from "../../../errors.ts";
import { utf8 } from "../../../protocol/bytes.ts";
import { readUtf8 } from "../../../protocol/utf8.ts";
import { entryNameFault } from "./entry_name.ts";
import { zipError } from "./zip_error.ts";
import { flags, methods, readShared, records, type SharedHeader, sharedAt } from "./zip_records.ts";

/** An entry as the directory of an archive has it. */
export interface CentralEntry extends SharedHeader {
  readonly name: string;
  readonly rawName: Uint8Array;
  /** Offset of its local header. */
  readonly localAt: number;
}

const knownFlags = flags.deflateEffort | flags.sizesFollow | flags.utf8;

/** Stands in fields whose value is elsewhere, in a zip64 field. */
const elsewhere = 0xffff_ffff;

/** The entry whose header begins at `at`, and where the next one does. @throws ActrError with details `package: "zip_error"`. */
export function readCentral(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  limit: number,
): { readonly entry: CentralEntry; readonly next: number } {
  const nameAt = at + records.central.length;
  if (nameAt > limit || view.getUint32(at, true) !== records.central.mark) {
    throw zipError(`no entry of its directory begins at ${at}`);
  }
  const shared = readShared(view, at + sharedAt.central);
  const extraAt = nameAt + shared.nameLength;
  const next = extraAt + shared.extraLength + view.getUint16(at + 32, true);
  if (next > limit) throw zipError("an entry of its directory does not end in it");
  const rawName = bytes.subarray(nameAt, extraAt);
  const name = requireName(rawName, shared.flags);
  const entry = { ...shared, name, rawName, localAt: view.getUint32(at + 42, true) };
  requirePlain(entry, view.getUint16(at + 34, true));
  requireExtra(view, extraAt, shared.extraLength, entry);
  return { entry, next };
}

/** Names that are not marked as UTF-8 mean the same to all readers only where they are ASCII. */
function requireName(raw: Uint8Array, bits: number): string {
  const name = readUtf8(raw, 0, raw.length);
  if (name === undefined) throw zipError("a name in it is not UTF-8");
  // Tools write folders as empty entries that end in a slash.
  const fault = entryNameFault(name.endsWith("/") ? name.slice(0, -1) : name);
  const start = name.slice(0, 100);
  if (fault !== undefined) throw zipError(`the name ${JSON.stringify(start)} ${fault}`, start);
  if ((bits & flags.utf8) !== 0 || utf8(name).length === name.length) return name;
  throw zipError(`the name ${JSON.stringify(start)} is not marked as UTF-8`, start);
}

function requirePlain(entry: CentralEntry, disk: number): void {
  const fault = plainFault(entry, disk);
  if (fault !== undefined) throw refused(entry, fault);
}

function plainFault(entry: CentralEntry, disk: number): string | undefined {
  if ((entry.flags & ~knownFlags) !== 0) return "is encrypted or patched";
  if (Math.max(entry.size, entry.packedSize, entry.localAt) === elsewhere) return "is of zip64";
  if (disk !== 0) return "is on another disk";
  if (entry.name.endsWith("/") && entry.size > 0) return "is a folder with bytes";
  if (entry.method === methods.deflated) return undefined;
  if (entry.method !== methods.stored) return `is packed by method ${entry.method}`;
  return entry.size === entry.packedSize ? undefined : "is stored with two sizes";
}

/** Extra fields that change what an entry is, or is called: zip64, and another name. */
const meaningful: ReadonlySet<number> = new Set([0x0001, 0x7075]);

function requireExtra(view: DataView, start: number, length: number, entry: CentralEntry): void {
  const end = start + length;
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (!meaningful.has(view.getUint16(at, true))) continue;
    throw refused(entry, "has an extra field that changes its size or name");
  }
}

function refused({ name }: CentralEntry, fault: string): ActrError {
  return zipError(`${JSON.stringify(name)} ${fault}`, name);
}
