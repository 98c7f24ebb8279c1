import { ActrError, type NodeErrorCode } from "../../errors.ts";

/** What is wrong with a package (`spec/guest.md` §5): stands in `details.package` of its error. */
export type PackageFault =
  | "zip_error"
  | "invalid_package"
  | "signature_not_found"
  | "signature_verification_failed"
  | "manifest_not_found"
  | "manifest_parse_error"
  | "binary_not_found"
  | "resource_not_found"
  | "proto_not_found"
  | "lock_file_not_found"
  | "binary_hash_mismatch"
  | "resource_hash_mismatch"
  | "proto_hash_mismatch"
  | "lock_file_hash_mismatch";

/** Faults of a package that somebody made, or changed, who was not to; the others are of how it is made. */
const forged: ReadonlySet<PackageFault> = new Set([
  "signature_not_found",
  "signature_verification_failed",
  "binary_hash_mismatch",
  "resource_hash_mismatch",
  "proto_hash_mismatch",
  "lock_file_hash_mismatch",
]);

/** Where a package is wrong. */
export interface PackageErrorPlace {
  /** Name of the entry in the archive. */
  readonly path?: string;
  /** Dotted name in the manifest. */
  readonly field?: string;
  readonly cause?: unknown;
}

/** The error of a package: `permission_denied` where bytes are not those that were signed, else `invalid_argument`. */
export function packageError(
  fault: PackageFault,
  message: string,
  { path, field, cause }: PackageErrorPlace = {},
): ActrError {
  const code: NodeErrorCode = forged.has(fault) ? "permission_denied" : "invalid_argument";
  return new ActrError(code, message, {
    details: {
      package: fault,
      ...(path !== undefined && { path }),
      ...(field !== undefined && { field }),
    },
    ...(cause !== undefined && { cause }),
  });
}
