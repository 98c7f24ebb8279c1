import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { type SigningKey, sign } from "../../protocol/signing_key.ts";
import { packageEntries } from "./open_package.ts";
import { layOut, layoutFiles, type PackageLayout } from "./package_layout.ts";
import type { PackageParts } from "./package_parts.ts";
import { parsePackageManifest } from "./parse_manifest.ts";
import { writeManifest } from "./write_manifest.ts";
import { writeZip } from "./zip/write_zip.ts";

/** A manifest, and what proves whose it is. */
export interface SignedManifest {
  /** `manifest.toml`. */
  readonly manifest: Uint8Array;
  /** `manifest.sig`, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The manifest that {@link packPackage} puts into a package of these parts, byte for byte, and its signature. @throws ActrError as that does. */
export async function signManifest(parts: PackageParts, key: SigningKey): Promise<SignedManifest> {
  return await signLayout(parts, layOut(parts), key);
}

/**
 * A package, an `.actr` file: the same parts and key give the same bytes (`spec/guest.md` §2). @throws ActrError
 * `invalid_argument` with details `package: "invalid_package"` for parts whose names collide, and for too much; with
 * `"manifest_parse_error"` for what no manifest can say.
 */
export async function packPackage(
  parts: PackageParts,
  key: SigningKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const layout = layOut(parts);
  const { manifest, signature } = await signLayout(parts, layout, key);
  return writeZip([
    [packageEntries.manifest, manifest],
    [packageEntries.signature, signature],
    ...layoutFiles(layout),
  ]);
}

async function signLayout(
  parts: PackageParts,
  layout: PackageLayout,
  key: SigningKey,
): Promise<SignedManifest> {
  const keyId = await manufacturerKeyId(key.publicKey);
  const manifest = await writeManifest(parts, layout, keyId);
  parsePackageManifest(manifest); // What no node could read is not signed.
  return { manifest, signature: await sign(key, manifest) };
}
