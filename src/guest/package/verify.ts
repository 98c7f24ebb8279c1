import { ActrError } from "../../errors.ts";
import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { ed25519Bytes, importVerifyKey, verifySignature } from "../../protocol/signing_key.ts";
import { readListed } from "./listed_files.ts";
import { type OpenedPackage, openPackage, packageEntries } from "./open_package.ts";
import { packageError } from "./package_error.ts";
import { type PackageLimits, packageLimits } from "./package_limits.ts";
import { parsePackageManifest } from "./parse_manifest.ts";
import type { VerifiedPackage } from "./verified_package.ts";

/**
 * The package in `bytes`, a whole `.actr` file, where `publicKey` (32 raw bytes) signed it and nothing was changed since
 * (`spec/guest.md` §5). Whether its manifest names that key is for the caller to ask. @throws ActrError with the
 * `PackageFault` in `details.package`, and the entry in `details.path`; RangeError for a key of another length.
 */
export async function verifyPackage(
  bytes: Uint8Array,
  publicKey: Uint8Array,
  limits: Partial<PackageLimits> = {},
): Promise<VerifiedPackage> {
  if (publicKey.length !== ed25519Bytes.publicKey) {
    throw new RangeError(
      `a public key has ${ed25519Bytes.publicKey} bytes, got ${publicKey.length}`,
    );
  }
  const opened = await openPackage(bytes);
  await requireSigned(opened, publicKey);
  const { signature, manifestBytes } = opened;
  const manifest = parsePackageManifest(manifestBytes);
  const contents = await readListed(opened.files, manifest, { ...packageLimits, ...limits });
  return {
    manifest,
    manifestBytes,
    signature,
    keyId: await manufacturerKeyId(publicKey),
    ...contents,
  };
}

async function requireSigned(opened: OpenedPackage, publicKey: Uint8Array): Promise<void> {
  const { signature, manifestBytes } = opened;
  const key = await importVerifyKey(publicKey).catch((cause: unknown) => {
    throw notSigned(`under a key that proves nothing: ${ActrError.from(cause).message}`, cause);
  });
  if (await verifySignature(key, signature, manifestBytes)) return;
  const by = `by the key ${await manufacturerKeyId(publicKey)}`;
  throw notSigned(`${by}; it was changed since, or another key signed it: see roost inspect`);
}

function notSigned(by: string, cause?: unknown): ActrError {
  const message = `the manifest is not signed as it stands ${by}`;
  return packageError("signature_verification_failed", message, {
    path: packageEntries.signature,
    cause,
  });
}
