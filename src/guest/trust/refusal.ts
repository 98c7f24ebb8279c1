import { ActrError, type NodeErrorCode } from "../../errors.ts";

/** Why a package is not trusted, in the words of Actr's nodes (`spec/guest.md` §5, §6). */
export type TrustRefusal =
  | "signature_verification_failed"
  | "binary_hash_mismatch"
  | "manifest_not_found"
  | "invalid_manifest"
  | "untrusted_manufacturer";

const manufacturer = "untrusted_manufacturer" satisfies TrustRefusal;

/** What is wrong with a package, by `details.package` of its error, where nodes have a word of its own for it. */
const refusals: ReadonlyMap<unknown, TrustRefusal> = new Map([
  ["signature_verification_failed", "signature_verification_failed"],
  ["signature_not_found", "signature_verification_failed"],
  ["binary_hash_mismatch", "binary_hash_mismatch"],
  ["manifest_not_found", "manifest_not_found"],
  [manufacturer, manufacturer],
]);

/** Why a package is not trusted; undefined for an error of another kind. */
export function trustRefusalOf(error: unknown): TrustRefusal | undefined {
  const fault = ActrError.is(error) ? error.details?.["package"] : undefined;
  return fault === undefined ? undefined : (refusals.get(fault) ?? "invalid_manifest");
}

/** The error of a manufacturer whose key a registry does not have, or does not rightly tell: `permission_denied`. */
export function untrusted(message: string): ActrError {
  return keyError("permission_denied", message);
}

/** The error of a manufacturer whose key cannot be asked for now: `unavailable`, which may be tried again. */
export function unreachable(message: string, cause?: unknown): ActrError {
  return keyError("unavailable", message, cause);
}

function keyError(code: NodeErrorCode, message: string, cause?: unknown): ActrError {
  const details = { package: manufacturer };
  return new ActrError(code, message, { details, ...(cause !== undefined && { cause }) });
}
