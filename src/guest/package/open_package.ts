import { longestPackageManifest } from "../../protocol/manifest/package_document.ts";
import { ed25519Bytes } from "../../protocol/signing_key.ts";
import { packageError } from "./package_error.ts";
import { readZipEntry } from "./zip/read_entry.ts";
import { readZipDirectory, type ZipEntry } from "./zip/zip_directory.ts";

/** Names of the entries that every package has, and of the lock. */
export const packageEntries = {
  manifest: "manifest.toml",
  signature: "manifest.sig",
  lockFile: "manifest.lock.toml",
} as const;

/** An archive that has a manifest and a signature; nothing of it is proven. */
export interface OpenedPackage {
  readonly files: ReadonlyMap<string, ZipEntry>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
}

/** Steps 1 to 3 of `spec/guest.md` §5. @throws ActrError with details `package`. */
export async function openPackage(bytes: Uint8Array): Promise<OpenedPackage> {
  const files = readZipDirectory(bytes);
  const signature = await readSignature(files);
  return { files, signature, manifestBytes: await readManifest(files) };
}

async function readSignature(files: OpenedPackage["files"]): Promise<Uint8Array<ArrayBuffer>> {
  const path = packageEntries.signature;
  const entry = files.get(path);
  if (entry === undefined) {
    const message = `the package is not signed: it has no ${path}; sign it with roost pack`;
    throw packageError("signature_not_found", message, { path });
  }
  requireSize(entry, ed25519Bytes.signature, "a signature");
  if (entry.size === ed25519Bytes.signature) return await readZipEntry(entry);
  const message = `${path} has ${entry.size} bytes; a signature has ${ed25519Bytes.signature}`;
  throw packageError("signature_verification_failed", message, { path });
}

async function readManifest(files: OpenedPackage["files"]): Promise<Uint8Array<ArrayBuffer>> {
  const path = packageEntries.manifest;
  const entry = files.get(path);
  if (entry === undefined) {
    const message = `the package has no ${path}; pack it with roost pack`;
    throw packageError("manifest_not_found", message, { path });
  }
  requireSize(entry, longestPackageManifest, "a manifest");
  return await readZipEntry(entry);
}

/** Refuses an entry that declares more than `limit` bytes. @throws ActrError with details `package: "invalid_package"`. */
export function requireSize({ name, size }: ZipEntry, limit: number, what: string): void {
  if (size <= limit) return;
  const message = `${name} has ${size} bytes; ${what} has at most ${limit}`;
  throw packageError("invalid_package", message, { path: name });
}
