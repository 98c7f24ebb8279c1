import type { ActrError } from "../../../errors.ts";
import { packageError } from "../package_error.ts";

/** The error of an archive that is none, or not one of the plain ones that packages are. @param path the entry that is wrong. */
export function zipError(message: string, path?: string, cause?: unknown): ActrError {
  const text = `this is no package: ${message}; pack it again, with roost pack`;
  return packageError("zip_error", text, { ...(path !== undefined && { path }), cause });
}
