import { ActrError } from "../../errors.ts";
import { parseToml, type TomlValues } from "./toml_table.ts";

/** A document that a stranger sends. @param file what it is called in errors. @throws ActrError `config` for more than `maxBytes`, and for what is not TOML in UTF-8. */
export function readToml(bytes: Uint8Array, file: string, maxBytes: number): TomlValues {
  if (bytes.length > maxBytes) {
    throw new ActrError(
      "config",
      `${file} has ${bytes.length} bytes; at most ${maxBytes} are read`,
    );
  }
  return parseToml(decode(bytes, file), file);
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ActrError("config", `${file} is not UTF-8`, { cause });
  }
}
