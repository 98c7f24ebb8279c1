import type { ActrError } from "../../../errors.ts";
import type { CentralEntry } from "./central_header.ts";
import { zipError } from "./zip_error.ts";
import { flags, readShared, records, type SharedHeader, sharedAt } from "./zip_records.ts";

/**
 * The bytes of an entry, behind a local header that says of it what the directory says, before `limit`.
 * @throws ActrError with details `package: "zip_error"`.
 */
export function requireLocal(
  bytes: Uint8Array,
  view: DataView,
  entry: CentralEntry,
  limit: number,
): Uint8Array {
  const nameAt = entry.localAt + records.local.length;
  const isHeader = nameAt <= limit && view.getUint32(entry.localAt, true) === records.local.mark;
  if (!isHeader) throw differs(entry, "is not where the directory says");
  const local = readShared(view, entry.localAt + sharedAt.local);
  if (!agree(local, entry) || !sameBytes(bytes, nameAt, entry.rawName)) {
    throw differs(entry, "has a header that does not say what the directory says");
  }
  const start = nameAt + local.nameLength + local.extraLength;
  const end = start + entry.packedSize;
  if (end > limit) throw differs(entry, "does not end before the directory");
  return bytes.subarray(start, end);
}

function agree(local: SharedHeader, central: CentralEntry): boolean {
  const { nameLength, method, crc, packedSize, size } = local;
  if (nameLength !== central.nameLength || method !== central.method) return false;
  if (local.flags !== central.flags) return false;
  const sizesFollow = (local.flags & flags.sizesFollow) !== 0;
  if (sizesFollow && crc === 0 && packedSize === 0 && size === 0) return true;
  return crc === central.crc && packedSize === central.packedSize && size === central.size;
}

function sameBytes(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte);
}

function differs({ name }: CentralEntry, what: string): ActrError {
  return zipError(`${JSON.stringify(name)} ${what}`, name);
}
