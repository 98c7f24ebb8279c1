import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ActrError } from "../../errors.ts";
import { type ManifestLock, parseLock } from "../../protocol/manifest/lock.ts";
import { inherited, type Manifest, readManifest } from "../../protocol/manifest/manifest.ts";
import { parseToml, type TomlValues } from "../../protocol/manifest/toml_table.ts";
import { Misuse } from "../misuse.ts";

/** How deep manifests may inherit. */
const mostBases = 8;

const manifestName = "manifest.toml";
const lockName = "manifest.lock.toml";

/** A folder with a manifest. */
export interface Project {
  readonly folder: string;
  /** Path of the manifest. */
  readonly file: string;
  readonly manifest: Manifest;
  /** Path of the lock, which may not be there. */
  readonly lockFile: string;
}

/** The project of a manifest. @throws Misuse where there is none; ActrError `config` where it cannot be meant. */
export async function openProject(cwd: string, name: string = manifestName): Promise<Project> {
  const file = resolve(cwd, name);
  const folder = dirname(file);
  const manifest = readManifest(await readDocument(file, 0), name);
  return { folder, file, manifest, lockFile: join(folder, lockName) };
}

/** The project of a folder, if it is one. @throws ActrError `config`, `storage`. */
export async function findProject(folder: string): Promise<Project | undefined> {
  const text = await textOf(join(folder, manifestName));
  return text === undefined ? undefined : await openProject(folder);
}

/** The lock of a project as text; empty where there is none. */
export async function lockTextOf({ lockFile }: Pick<Project, "lockFile">): Promise<string> {
  return (await textOf(lockFile)) ?? "";
}

/** What a project is locked to. @throws ActrError `config`. */
export async function lockOf(project: Pick<Project, "lockFile">): Promise<ManifestLock> {
  return parseLock(await lockTextOf(project), lockName);
}

/** Text of a file; undefined where there is none. @throws ActrError `storage` where it cannot be read. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ActrError("storage", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Puts a text in the place of a file's, whole or not at all. @throws ActrError `storage`. */
export async function replaceText(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, text);
    await rename(part, path);
  } catch (cause) {
    throw new ActrError("storage", `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function readDocument(path: string, depth: number): Promise<TomlValues> {
  const text = await textOf(path);
  if (text === undefined) {
    throw new Misuse(`there is no ${path}; go to the folder of a package, or name its --manifest`);
  }
  const own = parseToml(text, path);
  const base = own["inherit"];
  if (base === undefined) return own;
  if (typeof base !== "string" || depth === mostBases) {
    const mend = `name one file, and no more than ${mostBases} one after the other`;
    throw new ActrError("config", `inherit in ${path} is ${JSON.stringify(base)}; ${mend}`);
  }
  return inherited(await readDocument(resolve(dirname(path), base), depth + 1), own);
}
