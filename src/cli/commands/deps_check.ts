import { formatActrType } from "../../protocol/ids.ts";
import type { ManifestLock } from "../../protocol/manifest/lock.ts";
import type { ManifestDependency } from "../../protocol/manifest/manifest.ts";
import type { World } from "../command.ts";
import { type Comparison, compare } from "../deps/comparison.ts";
import { currentServices } from "../deps/current.ts";
import { lockOf } from "../deps/project.ts";
import type { DepsWork } from "./deps.ts";
import { chosen } from "./deps_list.ts";

/** Tells of each dependency whether what is there now serves who was built against what was locked, and if not, why. */
export async function checkDependencies({
  project,
  words,
  input,
  world,
}: DepsWork): Promise<number> {
  const wanted = chosen(project.manifest.dependencies, words);
  const lock = await lockOf(project);
  const services = await currentServices(project, wanted, input, world);
  const comparisons = await Promise.all(
    wanted.map((each, at) => checked(each, lock, services[at], project.folder)),
  );
  const ok = comparisons.every(({ standing }) => standing === "exact" || standing === "compatible");
  if (input.has("json")) world.out(JSON.stringify({ ok, dependencies: comparisons }));
  else for (const each of comparisons) showComparison(each, world);
  return ok ? 0 : 1;
}

async function checked(
  { alias: name, type }: ManifestDependency,
  lock: ManifestLock,
  service: Parameters<typeof compare>[1] | undefined,
  folder: string,
): Promise<Comparison> {
  const text = type === undefined ? "any type" : formatActrType(type);
  const locked = lock.dependencies.find((each) => each.name === name);
  const failed = (standing: Comparison["standing"], reason: string): Comparison => ({
    ...{ name, type: text, standing, changes: [], reason },
  });
  if (locked === undefined) return failed("unlocked", "lock it: roost deps lock");
  if (type !== undefined && locked.type !== text) {
    return failed("unlocked", `it is locked as ${locked.type}; lock it again: roost deps lock`);
  }
  if (service === undefined) {
    return failed("absent", "no node that can be found announces it, or there are no files of it");
  }
  return await compare(locked, service, folder);
}

/** Shows one dependency, with what broke it. */
export function showComparison(
  { name, type, standing, changes, reason }: Comparison,
  { out }: World,
): void {
  out([name, type, standing].join("  "));
  for (const { name: file, change, missing } of changes) {
    if (change === "same") continue;
    out(`  ${file}: ${change}`);
    for (const sentence of missing) out(`    ${sentence}`);
  }
  if (reason !== undefined) out(`  ${reason}`);
}
