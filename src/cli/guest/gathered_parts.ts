import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { ActrError } from "../../errors.ts";
import type { PackageParts } from "../../guest/package/package_parts.ts";
import { type ActrType, parseActrType } from "../../protocol/ids.ts";
import type { Input, OptionSpecs, World } from "../command.ts";
import { findProject, openProject, type Project, textOf } from "../deps/project.ts";
import { Misuse } from "../misuse.ts";
import { checkedTarget, targetOf } from "./binary_target.ts";
import { type PartFile, readPart, resourceFiles } from "./part_files.ts";

/** The flags that say what goes into a package. */
export const partOptions: OptionSpecs = {
  manifest: { value: "FILE", help: "what the package is (default FOLDER/manifest.toml, if there)" },
  type: { value: "M:NAME:VERSION", help: "what it is, in place of what the manifest says" },
  binary: { value: "FILE", help: "component or script (default: binary.path of the manifest)" },
  target: { value: "TARGET", help: "what the binary is built for (default: what it is)" },
  description: { value: "TEXT", help: "in place of that of the manifest" },
  license: { value: "TEXT", help: "in place of that of the manifest" },
  resource: { value: "[PATH=]FILE", multiple: true, help: "a file or folder, below resources/" },
  proto: { value: "FILE", multiple: true, help: "in place of the exports of the manifest" },
  lock: { value: "FILE", help: "lock of dependencies (default manifest.lock.toml, if there)" },
};

/** What goes into a package, and where it comes from. */
export interface GatheredParts extends PackageParts {
  /** Folder that defaults start from. */
  readonly folder: string;
}

/** Reads all that a package is made of: from the manifest of a folder, and from flags, which win. @throws Misuse, ActrError `config`, `invalid_argument`. */
export async function gatherParts(input: Input, world: World): Promise<GatheredParts> {
  const folder = await folderOf(input, world);
  const named = input.value("manifest");
  const project =
    named === undefined ? await findProject(folder) : await openProject(world.cwd, named);
  const { manifest } = project ?? {};
  const binaryFile = binaryFileOf(input, world, project);
  const binary = await readPart("the binary", binaryFile);
  const target = input.value("target") ?? manifest?.binary?.target;
  return {
    type: typeOf(input, project),
    description: input.value("description") ?? manifest?.description,
    license: input.value("license") ?? manifest?.license,
    target:
      target === undefined
        ? targetOf(binary, binaryFile)
        : checkedTarget(target, binary, binaryFile),
    binary,
    resources: await resourcesOf(input, world),
    protos: await protosOf(input, world, project),
    lockFile: await lockFileOf(input, world, project),
    folder: project?.folder ?? folder,
  };
}

async function folderOf({ positionals: [named = "."] }: Input, { cwd }: World): Promise<string> {
  const folder = resolve(cwd, named);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return folder;
  throw new Misuse(`there is no folder ${named}; name the one that holds manifest.toml`);
}

function typeOf(input: Input, project: Project | undefined): ActrType {
  const text = input.value("type");
  const type = text === undefined ? project?.manifest.type : parseActrType(text);
  if (type === undefined) {
    throw new Misuse("nothing says what the package is; write a manifest.toml, or name its --type");
  }
  if (type.version !== "") return type;
  throw new ActrError("config", "the package has no version; give package.version in the manifest");
}

function binaryFileOf(input: Input, { cwd }: World, project: Project | undefined): string {
  const file = input.value("binary");
  if (file !== undefined) return resolve(cwd, file);
  const path = project?.manifest.binary?.path;
  if (project !== undefined && path !== undefined) return resolve(project.folder, path);
  throw new Misuse(
    "nothing says what the package runs; name --binary, or binary.path in the manifest",
  );
}

async function resourcesOf(input: Input, { cwd }: World): Promise<Map<string, Uint8Array>> {
  const found = await Promise.all(input.values("resource").map((each) => resourceFiles(cwd, each)));
  return await readAll("the resource", found.flat());
}

async function protosOf(
  input: Input,
  { cwd }: World,
  project: Project | undefined,
): Promise<Map<string, Uint8Array>> {
  const own = input.has("proto");
  const files = own ? input.values("proto") : (project?.manifest.exports ?? []);
  const from = own ? cwd : (project?.folder ?? cwd);
  const parts = files.map((file) => ({ name: basename(file), path: resolve(from, file) }));
  return await readAll("the proto", parts);
}

async function lockFileOf(
  input: Input,
  { cwd }: World,
  project: Project | undefined,
): Promise<Uint8Array | undefined> {
  const named = input.value("lock");
  if (named !== undefined) return await readPart("the lock", resolve(cwd, named));
  if (project === undefined || (await textOf(project.lockFile)) === undefined) return undefined;
  return await readPart("the lock", project.lockFile);
}

/** Files by their names. @throws ActrError `invalid_argument` for two of one name: neither may be lost. */
async function readAll(what: string, files: readonly PartFile[]): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const { name, path } of files) {
    if (contents.has(name)) {
      throw new ActrError(
        "invalid_argument",
        `${what} ${path} would be a second ${name}; rename it`,
      );
    }
    contents.set(name, await readPart(what, path));
  }
  return contents;
}
