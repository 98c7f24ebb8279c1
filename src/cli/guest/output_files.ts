import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ActrError } from "../../errors.ts";
import type { ActrType } from "../../protocol/ids.ts";

/** Names a package by what it is: `acme-Echo-1.0.0-wasm32-wasip2`. */
export function packageStem({ manufacturer, name, version }: ActrType, target: string): string {
  return [manufacturer, name, version, target].join("-").replace(/[\\/\0]/g, "_");
}

/** Writes a file whole or not at all, in the place of one that is there, with its folder. @throws ActrError `storage`. */
export async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const part = `${path}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, content);
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    throw new ActrError("storage", `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
