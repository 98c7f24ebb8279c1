import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ActrError } from "../../errors.ts";
import { type DescribedFile, describedFile } from "../../protocol/fingerprint/described_file.ts";
import { type FingerprintedFile, fileFingerprint } from "../../protocol/fingerprint/fingerprint.ts";
import { protoFileJson } from "../../protocol/fingerprint/proto_file.ts";
import type { LockedDependency, LockedFile } from "../../protocol/manifest/lock.ts";
import { replaceText, textOf } from "./project.ts";

/** Folder of the files of other services, from that of the manifest. */
const folderName = "protos/remote";

/** One `.proto` file of a service. */
export interface SourceFile {
  /** Without folders as a rule: `echo.proto`. */
  readonly name: string;
  readonly content: string;
}

/** A file with what it means. */
export interface MeantFile extends FingerprintedFile {
  readonly described: DescribedFile;
}

/** What the files of one service mean. @throws ActrError `invalid_argument` for one that is no source, or has no fingerprint. */
export async function meantFiles(files: readonly SourceFile[]): Promise<MeantFile[]> {
  const described = files.map(({ name, content }) => describedFile(protoFileJson(name, content)));
  return await Promise.all(
    described.map(async (each) => ({
      name: each.name,
      described: each,
      fingerprint: await fileFingerprint(each, described),
    })),
  );
}

/** What a folder or a file may be called here. */
const plainName = /^\w[\w. -]{0,127}$/;

/** Whether a dependency may be called so: its files have a folder of that name. */
export function isAlias(text: string): boolean {
  return plainName.test(text);
}

/** Where a dependency's file is kept, from the folder of the manifest. @throws ActrError `invalid_argument` for a name that leads elsewhere: others gave it. */
export function keptPath(alias: string, name: string): string {
  const parts = [alias, ...name.split("/")];
  const harmless = parts.length <= 8 && parts.every((part) => plainName.test(part));
  if (harmless && name.endsWith(".proto")) return [folderName, ...parts].join("/");
  throw new ActrError(
    "invalid_argument",
    `${JSON.stringify(name)} is no name of a file of ${alias}`,
  );
}

/** Writes the files of a dependency. @throws ActrError `storage`. */
export async function keepFiles(
  folder: string,
  alias: string,
  files: readonly SourceFile[],
): Promise<void> {
  const paths = files.map(({ name }) => join(folder, keptPath(alias, name)));
  for (const [at, { content }] of files.entries()) {
    const path = paths[at] ?? "";
    await mkdir(dirname(path), { recursive: true });
    await replaceText(path, content);
  }
}

/** Deletes files that a dependency was locked with before, and is not any more; other files are left alone. */
export async function dropFiles(
  folder: string,
  { name: alias, files }: LockedDependency,
  now: readonly SourceFile[],
): Promise<void> {
  const gone = files.filter(
    (file) => now.every(({ name }) => file.path !== keptPath(alias, name)) && isKept(alias, file),
  );
  await Promise.all(gone.map(({ path }) => rm(join(folder, path), { force: true })));
}

/** Whether the path of a locked file is one that is given here: a lock may come from anywhere. */
function isKept(alias: string, file: LockedFile): boolean {
  try {
    return keptPath(alias, fileName(alias, file)) === file.path;
  } catch {
    return false;
  }
}

/** The files that are kept of a dependency, whatever the lock says. */
export async function filesInFolder(folder: string, alias: string): Promise<SourceFile[]> {
  const own = join(folder, folderName, alias);
  const entries = await readdir(own, { recursive: true }).catch(() => []);
  const names = entries
    .map((each) => each.replaceAll("\\", "/"))
    .filter((each) => /\.proto$/.test(each));
  const files = names.sort().map(async (name) => ({
    name,
    content: (await textOf(join(own, name))) ?? "",
  }));
  return await Promise.all(files);
}

/** The files that a dependency was locked with, as far as they are what they were then. */
export async function lockedFiles(
  folder: string,
  { name: alias, files }: LockedDependency,
): Promise<{ readonly files: readonly MeantFile[]; readonly lost: readonly string[] }> {
  const found = await Promise.all(files.map((file) => sourceOf(folder, alias, file)));
  const sources = found.filter((each) => each !== undefined);
  const meant = await meantFiles(sources).catch(() => []);
  const kept = meant.filter(({ name, fingerprint }) =>
    files.some((file) => fileName(alias, file) === name && file.fingerprint === fingerprint),
  );
  const names = new Set(kept.map(({ name }) => name));
  const lost = files.filter((file) => !names.has(fileName(alias, file))).map(({ path }) => path);
  return { files: kept, lost };
}

/** What a locked file is called in its service: other tools lock it under other folders. */
export function fileName(alias: string, { path }: LockedFile): string {
  const prefix = `${folderName}/${alias}/`;
  return path.startsWith(prefix)
    ? path.slice(prefix.length)
    : path.slice(path.lastIndexOf("/") + 1);
}

async function sourceOf(
  folder: string,
  alias: string,
  file: LockedFile,
): Promise<SourceFile | undefined> {
  const content =
    (await textOf(join(folder, file.path))) ?? (await textOf(join(folder, folderName, file.path)));
  return content === undefined ? undefined : { name: fileName(alias, file), content };
}
