import type { ActrError } from "../../errors.ts";
import { packageEntries } from "./open_package.ts";
import { packageError } from "./package_error.ts";
import { packageLimits } from "./package_limits.ts";
import type { PackageParts } from "./package_parts.ts";
import { entryNameFault } from "./zip/entry_name.ts";
import type { NamedFile } from "./zip/write_zip.ts";

/** Where the parts of a package stand in it, in the order in which they are written. */
export interface PackageLayout {
  readonly lockFile: readonly NamedFile[];
  readonly binary: NamedFile;
  readonly resources: readonly NamedFile[];
  readonly protos: readonly NamedFile[];
}

const binaryPath = "bin/actor.wasm";

/**
 * Gives every part its place. @throws ActrError `invalid_argument` with details `package: "invalid_package"` for a part
 * whose name is no path or is taken (`spec/guest.md` §21 GD-19), and for more than nodes read without being told to.
 */
export function layOut(parts: PackageParts): PackageLayout {
  const { lockFile, resources = new Map(), protos = new Map() } = parts;
  const layout: PackageLayout = {
    lockFile: lockFile === undefined ? [] : [[packageEntries.lockFile, lockFile]],
    binary: [parts.binaryPath ?? binaryPath, parts.binary],
    resources: [...resources],
    protos: [...protos].map(([name, source]) => [protoPath(name), source]),
  };
  requireNames(layout);
  requireRoom(layout);
  return layout;
}

/** The files of a layout, in their order. */
export function layoutFiles({ lockFile, binary, resources, protos }: PackageLayout): NamedFile[] {
  return [...lockFile, binary, ...resources, ...protos];
}

function protoPath(name: string): string {
  if (!name.includes("/")) return `proto/${name}`;
  throw refused(name, "is no base name: give a proto file's name without its folder");
}

function requireNames(layout: PackageLayout): void {
  const taken = new Set<string>(Object.values(packageEntries));
  for (const [path] of layoutFiles({ ...layout, lockFile: [] })) {
    const fault = entryNameFault(path);
    if (fault !== undefined) throw refused(path, `${fault}: use a path such as resources/a.png`);
    if (taken.has(path)) throw refused(path, "would be there twice: rename one of the files");
    taken.add(path);
  }
}

function requireRoom(layout: PackageLayout): void {
  const files = layoutFiles(layout);
  if (files.length > packageLimits.entries) {
    const message = `a package has at most ${packageLimits.entries} files, this one would have ${files.length}`;
    throw packageError("invalid_package", message);
  }
  const total = files.reduce((sum, [, content]) => sum + content.length, 0);
  if (total <= packageLimits.totalBytes) return;
  const message = `the files of a package have at most ${packageLimits.totalBytes} bytes together, these have ${total}`;
  throw packageError("invalid_package", message);
}

function refused(path: string, what: string): ActrError {
  return packageError("invalid_package", `${JSON.stringify(path)} ${what}`, { path });
}
