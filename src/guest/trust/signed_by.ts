import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { packageError } from "../package/package_error.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";
import { verifyPackage } from "../package/verify.ts";
import type { TrustOptions } from "./trust_provider.ts";

/**
 * The package in `bytes`, whole and signed with a key, which it must name rightly if it names one (`spec/guest.md` §21
 * GD-1). @throws ActrError as `verifyPackage`; `invalid_argument` for the id of another key; the signal's reason.
 */
export async function verifySignedBy(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  { maxBytes, signal }: TrustOptions,
): Promise<VerifiedPackage> {
  signal?.throwIfAborted();
  const limits = maxBytes === undefined ? {} : { entryBytes: maxBytes, totalBytes: maxBytes };
  const verified = await verifyPackage(bytes, publicKey, limits);
  signal?.throwIfAborted();
  const { signingKeyId } = verified.manifest;
  const keyId = await manufacturerKeyId(publicKey);
  if (signingKeyId === undefined || signingKeyId === keyId) return verified;
  const message = `the manifest says that ${signingKeyId} signed it, but ${keyId} did`;
  throw packageError("manifest_parse_error", message, { field: "signing_key_id" });
}
