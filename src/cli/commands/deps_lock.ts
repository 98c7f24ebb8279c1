import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError } from "../../errors.ts";
import { formatActrType } from "../../protocol/ids.ts";
import { type LockedDependency, lockText } from "../../protocol/manifest/lock.ts";
import type { ManifestDependency } from "../../protocol/manifest/manifest.ts";
import type { World } from "../command.ts";
import type { AnnouncedService } from "../deps/announced.ts";
import { type Comparison, compare } from "../deps/comparison.ts";
import { currentServices } from "../deps/current.ts";
import { dropFiles, keepFiles, keptPath } from "../deps/kept_files.ts";
import { lockOf, lockTextOf, type Project, replaceText } from "../deps/project.ts";
import type { DepsWork } from "./deps.ts";
import { showComparison } from "./deps_check.ts";
import { chosen } from "./deps_list.ts";

/** Writes what dependencies are now into the lock, and their files beside it; tells what that changes. All are found, or nothing is written. */
export async function lockDependencies({
  project,
  words,
  input,
  world,
}: DepsWork): Promise<number> {
  const { folder, manifest } = project;
  const wanted = chosen(manifest.dependencies, words);
  const before = await lockOf(project);
  const services = await currentServices(project, wanted, input, world);
  const now = new Date(systemClock().now()).toISOString();
  const known = (name: string) => before.dependencies.find((each) => each.name === name);
  const locked = wanted.map((each, at) => ({
    ...lockedAs(each, services[at], now),
    before: known(each.alias),
  }));
  const changes = await Promise.all(
    locked.map(async (each) => each.before && (await compare(each.before, each.service, folder))),
  );
  for (const each of locked) await keep(each, folder);
  await writeLock(project, [...locked.map(({ entry }) => entry), ...before.dependencies], now);
  if (input.has("json")) {
    world.out(JSON.stringify({ dependencies: locked.map(({ entry }) => entry) }));
  } else for (const [at, { entry }] of locked.entries()) show(entry, changes[at], world);
  return 0;
}

/** Keeps the files of a service, and those that it had before no longer. */
async function keep({ entry, service, before }: Relocked, folder: string): Promise<void> {
  await keepFiles(folder, entry.name, service.sources);
  if (before !== undefined) await dropFiles(folder, before, service.sources);
}

/** Writes the lock: the first of `entries` for each dependency of the manifest, and no others. */
async function writeLock(
  project: Project,
  entries: readonly LockedDependency[],
  generatedAt: string,
): Promise<void> {
  const dependencies = project.manifest.dependencies.flatMap(
    ({ alias }) => entries.find(({ name }) => name === alias) ?? [],
  );
  const text = lockText({ generatedAt, dependencies }, await lockTextOf(project));
  await replaceText(project.lockFile, text);
}

/** A dependency as it is locked, and what it was found as. */
interface Locked {
  readonly entry: LockedDependency;
  readonly service: AnnouncedService;
}

/** The same, with what was locked before. */
interface Relocked extends Locked {
  readonly before: LockedDependency | undefined;
}

/** @throws ActrError as {@link checkedService}; `config` for a dependency without a type. */
function lockedAs(
  dependency: ManifestDependency,
  found: AnnouncedService | undefined,
  now: string,
): Locked {
  const { alias, type } = dependency;
  if (type === undefined) {
    const mend = "give it its actr_type, manufacturer:name:version";
    throw new ActrError("config", `dependencies.${alias} names no type; ${mend}`);
  }
  const service = checkedService(dependency, formatActrType(type), found);
  const { fingerprint, description, files } = service;
  const entry = {
    name: alias,
    type: formatActrType(type),
    fingerprint,
    description: description?.description,
    publishedAt: description?.publishedAt,
    tags: description?.tags ?? [],
    cachedAt: now,
    files: files.map((file) => ({
      path: keptPath(alias, file.name),
      fingerprint: file.fingerprint,
    })),
  };
  return { entry, service };
}

/** @throws ActrError `not_found` for a service of which nothing is known, `config` for one that the manifest does not want. */
function checkedService(
  { alias, service: wanted }: ManifestDependency,
  type: string,
  found: AnnouncedService | undefined,
): AnnouncedService {
  if (found === undefined || !/:[0-9a-f]{64}$/.test(found.fingerprint)) {
    const mend = `start a node that does, or put its .proto files into protos/remote/${alias} and add --offline`;
    const text = `nothing tells what ${alias}, ${type}, means`;
    throw new ActrError("not_found", `${text}; ${mend}`);
  }
  const { fingerprint } = wanted ?? {};
  if (fingerprint !== undefined && !found.fingerprint.endsWith(fingerprint)) {
    const text = `dependencies.${alias}.service wants ${fingerprint}, but there is ${found.fingerprint}`;
    throw new ActrError("config", `${text}; take the first out of the manifest, or serve that`);
  }
  return found;
}

function show(
  { name, type, fingerprint, files }: LockedDependency,
  change: Comparison | undefined,
  world: World,
): void {
  if (change === undefined) world.out([name, type, "new"].join("  "));
  else showComparison(change, world);
  world.out(`  ${fingerprint}`);
  if (files.length === 0) world.out("  without its files: they are not announced");
}
