import { formatActrType, parseActrType } from "../../protocol/ids.ts";
import type { ManifestDependency } from "../../protocol/manifest/manifest.ts";
import { withDependency, withoutDependency } from "../../protocol/manifest/manifest_edit.ts";
import { isAlias } from "../deps/kept_files.ts";
import { lockOf, replaceText, textOf } from "../deps/project.ts";
import { Misuse } from "../misuse.ts";
import { choice } from "../suggest.ts";
import type { DepsWork } from "./deps.ts";

/** Lists what a package calls, and what it was locked to. */
export async function listDependencies({ project, input, world }: DepsWork): Promise<number> {
  const { dependencies } = await lockOf(project);
  const rows = project.manifest.dependencies.map(({ alias, type }) => ({
    name: alias,
    type: type === undefined ? null : formatActrType(type),
    fingerprint: dependencies.find(({ name }) => name === alias)?.fingerprint ?? null,
  }));
  if (input.has("json")) world.out(JSON.stringify({ dependencies: rows }));
  else {
    for (const { name, type, fingerprint } of rows) {
      world.out([name, type ?? "any type", fingerprint ?? "not locked"].join("  "));
    }
  }
  return 0;
}

/** Adds a dependency to the manifest, or gives it another type; all else there stays as it is written. */
export async function addDependency({ project, words, world }: DepsWork): Promise<number> {
  const [alias = "", text = ""] = words;
  if (!isAlias(alias)) {
    throw new Misuse(`NAME is ${alias}; it has letters, digits, "_", and then "-", "." or spaces`);
  }
  const type = formatActrType(parseActrType(text));
  await edit(project.file, (before, file) => withDependency(before, alias, { type }, file));
  world.out(`${alias}  ${type}`);
  world.out("    roost deps lock keeps what it means");
  return 0;
}

/** Takes a dependency out of the manifest; the next lock leaves it out as well. */
export async function removeDependency({ project, words, world }: DepsWork): Promise<number> {
  const [alias = ""] = words;
  const { dependencies } = project.manifest;
  chosen(dependencies, [alias]);
  await edit(project.file, (before, file) => withoutDependency(before, alias, file));
  world.out(`${alias} is no dependency any more`);
  return 0;
}

/** The dependencies that are named, or all. @throws Misuse for a name that is none of them. */
export function chosen(
  dependencies: readonly ManifestDependency[],
  names: readonly string[],
): readonly ManifestDependency[] {
  const known = dependencies.map(({ alias }) => alias);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const mend = known.length === 0 ? " There are none." : choice(unknown, known);
    throw new Misuse(`there is no dependency ${unknown}.${mend}`);
  }
  return dependencies.filter(({ alias }) => names.length === 0 || names.includes(alias));
}

async function edit(path: string, change: (text: string, file: string) => string): Promise<void> {
  await replaceText(path, change((await textOf(path)) ?? "", path));
}
