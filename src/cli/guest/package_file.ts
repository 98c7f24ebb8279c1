import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { ActrError } from "../../errors.ts";
import type { World } from "../command.ts";
import { Misuse } from "../misuse.ts";

/** Longest package that is read, bytes: twice what may be listed in it, for what is not. */
const longest = 128 * 1024 * 1024;

/** The bytes of a package file. @throws Misuse where there is none; ActrError `invalid_argument`, `storage`. */
export async function readPackageFile(
  { cwd }: Pick<World, "cwd">,
  name: string,
): Promise<Uint8Array> {
  const path = resolve(cwd, name);
  try {
    const { size } = await stat(path);
    if (size <= longest) return await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Misuse(`there is no package ${name}; make one: roost pack`);
    throw new ActrError("storage", `cannot read ${path}: ${message}`, { cause });
  }
  throw new ActrError(
    "invalid_argument",
    `${name} has more than ${longest} bytes, which no package has`,
  );
}
