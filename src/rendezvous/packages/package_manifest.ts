import { ActrError } from "../../errors.ts";
import type { ActrType } from "../../protocol/ids.ts";
import { readPackageDocument } from "../../protocol/manifest/package_document.ts";
import type { TomlValues } from "../../protocol/manifest/toml_table.ts";

/** What the manifest of a package says of who made it, and of what it is (`spec/protocol.md` §12.4). */
export interface PackageManifest {
  /** Names the key that signed it. */
  readonly signingKeyId: string;
  readonly type: ActrType;
  /** Target triple of the binary; absent when it does not say. */
  readonly target?: string;
}

/** The manifest in `bytes`, UTF-8 of TOML. @throws ActrError `invalid_argument` when it is none, or names no key. */
export function readPackageManifest(bytes: Uint8Array): PackageManifest {
  const table = parseTable(bytes);
  const signingKeyId = textOf(table["signing_key_id"]);
  if (signingKeyId === undefined || signingKeyId === "") throw unusable("it has no signing_key_id");
  const type = {
    manufacturer: textOf(table["manufacturer"]) ?? "",
    name: textOf(table["name"]) ?? "",
    version: textOf(table["version"]) ?? "",
  };
  const target = targetOf(table["binary"]);
  return { signingKeyId, type, ...(target !== undefined && { target }) };
}

function parseTable(bytes: Uint8Array): TomlValues {
  try {
    return readPackageDocument(bytes);
  } catch (cause) {
    throw unusable(ActrError.from(cause).message, cause);
  }
}

function targetOf(binary: unknown): string | undefined {
  if (typeof binary !== "object" || binary === null || !("target" in binary)) return undefined;
  return textOf(binary.target);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function unusable(reason: string, cause?: unknown): ActrError {
  return new ActrError("invalid_argument", `the manifest cannot be used: ${reason}`, { cause });
}
