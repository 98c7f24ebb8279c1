import { ActrError } from "../../errors.ts";
import { parseToml, type TomlValues } from "./toml_table.ts";

/** Longest manifest of a package, bytes (`spec/guest.md` §2). */
export const longestPackageManifest: number = 1024 * 1024;

/** The `manifest.toml` of a package, as a stranger sends it. @throws ActrError `config` for one that is too long, and for what is not TOML in UTF-8. */
export function readPackageDocument(bytes: Uint8Array): TomlValues {
  if (bytes.length <= longestPackageManifest) return parseToml(decode(bytes), "manifest.toml");
  const message = `manifest.toml has ${bytes.length} bytes; at most ${longestPackageManifest} are read`;
  throw new ActrError("config", message);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ActrError("config", "manifest.toml is not UTF-8", { cause });
  }
}
