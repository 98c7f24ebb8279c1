import {
  compareServices,
  type FileComparison,
  isCompatible,
} from "../../protocol/fingerprint/compatibility.ts";
import type { LockedDependency } from "../../protocol/manifest/lock.ts";
import { fileName, lockedFiles, type MeantFile } from "./kept_files.ts";

/**
 * How a service stands to what was locked. `exact` means the same, `compatible` serves all who knew the old one,
 * `breaking` does not, `unknown` cannot be told, `absent` is announced by nobody, `unlocked` is not in the lock.
 */
export type Standing = "exact" | "compatible" | "breaking" | "unknown" | "absent" | "unlocked";

/** A service as it is now. */
export interface CurrentService {
  readonly fingerprint: string;
  /** None where it is announced without them. */
  readonly files: readonly MeantFile[];
}

/** What became of one dependency. */
export interface Comparison {
  readonly name: string;
  readonly type: string;
  readonly standing: Standing;
  /** File by file; empty where nothing can be told of files. */
  readonly changes: readonly FileComparison[];
  /** Why it cannot be told, and the mend. */
  readonly reason?: string;
}

/** Compares a service as it is now with what was locked, file by file as far as the locked files are kept in `folder`. */
export async function compare(
  locked: LockedDependency,
  current: CurrentService,
  folder: string,
): Promise<Comparison> {
  const { name, type } = locked;
  const found = (standing: Standing, changes: readonly FileComparison[], reason?: string) => ({
    ...{ name, type, standing, changes },
    ...(reason === undefined ? {} : { reason }),
  });
  if (current.fingerprint === locked.fingerprint) return found("exact", []);
  if (current.files.length === 0) {
    return found("unknown", [], "it means something else now, and its files cannot be had");
  }
  const { files, lost } = await lockedFiles(folder, locked);
  if (lost.length > 0 || files.length === 0) return found(...withoutFiles(locked, current, lost));
  const described = (each: MeantFile) => each.described;
  const changes = await compareServices(files.map(described), current.files.map(described));
  return found(isCompatible(changes) ? "compatible" : "breaking", changes);
}

/** What fingerprints alone can tell: which files are gone, and that others changed. */
function withoutFiles(
  locked: LockedDependency,
  current: CurrentService,
  lost: readonly string[],
): readonly [Standing, readonly FileComparison[], string] {
  const now = new Map(current.files.map(({ name, fingerprint }) => [name, fingerprint]));
  const named = locked.files.map((file) => ({ ...file, name: fileName(locked.name, file) }));
  const removed = named.filter(({ name }) => !now.has(name));
  const changes = removed.map(
    ({ name }) => ({ name, change: "removed", missing: [`${name} is gone`] }) as const,
  );
  const changed = named.filter(
    ({ name, fingerprint }) => now.has(name) && now.get(name) !== fingerprint,
  );
  const words = changed.map(({ name }) => name).join(", ");
  const told = words === "" ? "" : `${words} changed; `;
  const mend = `${told}what in it cannot be told without the locked ${lost.join(", ") || "files"}: keep protos/remote under version control`;
  return [changes.length > 0 ? "breaking" : "unknown", changes, mend];
}
