import { toHex } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { packageEntries, requireSize } from "./open_package.ts";
import { packageError } from "./package_error.ts";
import type { PackageLimits } from "./package_limits.ts";
import type { ListedFile, PackageManifest } from "./package_manifest.ts";
import type { VerifiedPackage } from "./verified_package.ts";
import { readZipEntry } from "./zip/read_entry.ts";
import type { ZipEntry } from "./zip/zip_directory.ts";

type Files = ReadonlyMap<string, ZipEntry>;
type Role = "binary" | "resource" | "proto" | "lock_file";
type Listed = readonly [role: Role, file: ListedFile];

const roleNames: Readonly<Record<Role, string>> = {
  binary: "the binary",
  resource: "a resource",
  proto: "a proto file",
  lock_file: "the lock file",
};

/** The bytes of all that a manifest lists. */
export type ListedBytes = Pick<VerifiedPackage, "binary" | "resources" | "protos" | "lockFile">;

/** Steps 6 and 7 of `spec/guest.md` §5: nothing is read before all of it is found within the limits. @throws ActrError with details `package` and `path`. */
export async function readListed(
  files: Files,
  manifest: PackageManifest,
  limits: PackageLimits,
): Promise<ListedBytes> {
  requireWithin(files, listed(manifest), limits);
  const { resources, protoFiles, lockFile } = manifest;
  const lock = lockFile && (await readChecked(files, ["lock_file", lockFile]));
  return {
    binary: await readBinary(files, manifest),
    resources: await readEach(files, "resource", resources, ({ path }) => path),
    protos: await readEach(files, "proto", protoFiles, ({ name }) => name),
    ...(lock !== undefined && { lockFile: lock }),
  };
}

function listed({ binary, resources, protoFiles, lockFile }: PackageManifest): readonly Listed[] {
  return [
    ["binary", binary],
    ...resources.map((each): Listed => ["resource", each]),
    ...protoFiles.map((each): Listed => ["proto", each]),
    ...(lockFile === undefined ? [] : [["lock_file", lockFile] satisfies Listed]),
  ];
}

/** By what the entries declare, which reading them holds them to. */
function requireWithin(files: Files, all: readonly Listed[], limits: PackageLimits): void {
  if (all.length > limits.entries) {
    const message = `the manifest lists ${all.length} files; at most ${limits.entries} are read`;
    throw packageError("invalid_package", message);
  }
  let total = 0;
  for (const [role, { path }] of all) {
    const entry = requireEntry(files, role, path);
    requireSize(entry, limits.entryBytes, roleNames[role]);
    total += entry.size;
    if (total <= limits.totalBytes) continue;
    const message = `with ${path}, the files of the package have more than ${limits.totalBytes} bytes together`;
    throw packageError("invalid_package", message, { path });
  }
}

function requireEntry(files: Files, role: Role, path: string): ZipEntry {
  const entry = files.get(path);
  if (entry !== undefined) return entry;
  const message = `the manifest lists ${JSON.stringify(path)} as ${roleNames[role]}, which the package does not have`;
  throw packageError(`${role}_not_found`, message, { path });
}

async function readEach<File extends ListedFile>(
  files: Files,
  role: Role,
  wanted: readonly File[],
  keyOf: (file: File) => string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const file of wanted) contents.set(keyOf(file), await readChecked(files, [role, file]));
  return contents;
}

async function readBinary(files: Files, { binary }: PackageManifest): Promise<Uint8Array> {
  const bytes = await readChecked(files, ["binary", binary]);
  if (binary.size === undefined || binary.size === bytes.length) return bytes;
  const message = `binary.size in manifest.toml is ${binary.size}, but the binary has ${bytes.length} bytes`;
  throw packageError("manifest_parse_error", message, {
    path: packageEntries.manifest,
    field: "binary.size",
  });
}

async function readChecked(files: Files, [role, { path, hash }]: Listed): Promise<Uint8Array> {
  const bytes = await readZipEntry(requireEntry(files, role, path));
  const found = toHex(await sha256(bytes));
  if (found === hash) return bytes;
  const message = `${path} was changed after it was signed: its SHA-256 is ${found}, the manifest says ${hash}`;
  throw packageError(`${role}_hash_mismatch`, message, { path });
}
