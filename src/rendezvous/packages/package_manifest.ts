import { parse } from "smol-toml";
import { ActrError } from "../../errors.ts";
import type { ActrType } from "../../protocol/ids.ts";

/** What the manifest of a package says of who made it, and of what it is (`spec/protocol.md` §12.4). */
export interface PackageManifest {
  /** Names the key that signed it. */
  readonly signingKeyId: string;
  readonly type: ActrType;
  /** Target triple of the binary; absent when it does not say. */
  readonly target?: string;
}

/** Longest manifest that is read, bytes. */
const longest = 1024 * 1024;

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

function parseTable(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length > longest) throw unusable(`it is longer than ${longest} bytes`);
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unusable("it is not TOML in UTF-8", cause);
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
