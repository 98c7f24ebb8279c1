import { ActrError } from "../../errors.ts";
import type { PackageManifest } from "../../guest/package/package_manifest.ts";
import type { SigningKey } from "../../protocol/signing_key.ts";
import type { World } from "../command.ts";
import type { PackageSettings } from "../settings/package_sources.ts";
import { readSigningKey, usualKeyFile } from "./key_files.ts";

/** Refuses a package that does not name its key: neither a registry nor an identity service can tell who signed it. @throws ActrError `invalid_argument`. */
export function requireSigner({ signingKeyId }: PackageManifest, file: string): void {
  if (signingKeyId !== undefined) return;
  const mend = "make it again with a tool that writes signing_key_id, such as roost pack";
  throw new ActrError("invalid_argument", `${file} does not say which key signed it; ${mend}`);
}

/** The key that settings name, or the usual one. @throws ActrError `config` where there is none. */
export async function signerOf(
  { signingKeyFile }: PackageSettings,
  world: World,
): Promise<SigningKey> {
  return await readSigningKey(signingKeyFile ?? usualKeyFile(world));
}
