import { openPackage } from "./open_package.ts";
import type { PackageManifest } from "./package_manifest.ts";
import { parsePackageManifest } from "./parse_manifest.ts";

/** What a package says of itself; nothing of it is proven, which is all that is known before there is a key. @throws ActrError with details `package`. */
export async function peekManifest(bytes: Uint8Array): Promise<PackageManifest> {
  const { manifestBytes } = await openPackage(bytes);
  return parsePackageManifest(manifestBytes);
}
