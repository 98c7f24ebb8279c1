import { basename, resolve } from "node:path";
import { serviceFingerprint } from "../../protocol/fingerprint/fingerprint.ts";
import { formatActrType } from "../../protocol/ids.ts";
import type { ManifestDependency } from "../../protocol/manifest/manifest.ts";
import { withClient } from "../client.ts";
import type { Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { type AnnouncedService, announcedService } from "./announced.ts";
import { filesInFolder, meantFiles, type SourceFile } from "./kept_files.ts";
import { type Project, textOf } from "./project.ts";

/**
 * The services of some dependencies as they are now, in the same order: as the options say from files, or as nodes announce
 * them. Undefined for one of which there is nothing.
 */
export async function currentServices(
  { manifest, folder }: Project,
  wanted: readonly ManifestDependency[],
  input: Input,
  world: World,
): Promise<readonly (AnnouncedService | undefined)[]> {
  const protos = input.values("proto");
  if (protos.length > 0) {
    if (wanted.length !== 1) throw new Misuse("--proto is of one dependency; name that");
    return [await serviceOf(await sources(protos, world))];
  }
  if (input.has("offline")) {
    return await Promise.all(
      wanted.map(async ({ alias }) => await serviceOf(await filesInFolder(folder, alias))),
    );
  }
  if (wanted.length === 0) return [];
  const found: (AnnouncedService | undefined)[] = [];
  // Access rules are for the package's type. One without a version cannot register.
  const type = manifest.type.version === "" ? undefined : formatActrType(manifest.type);
  await withClient(
    input,
    world,
    async ({ peer, signal }) => {
      for (const each of wanted) found.push(await announcedService(peer, each, signal));
    },
    type,
  );
  return found;
}

async function serviceOf(files: readonly SourceFile[]): Promise<AnnouncedService | undefined> {
  if (files.length === 0) return undefined;
  const meant = await meantFiles(files);
  const fingerprint = await serviceFingerprint(meant);
  return { fingerprint, description: undefined, sources: files, files: meant };
}

async function sources(paths: readonly string[], { cwd }: World): Promise<SourceFile[]> {
  return await Promise.all(
    paths.map(async (path) => {
      const content = await textOf(resolve(cwd, path));
      if (content === undefined) throw new Misuse(`there is no file ${path}`);
      return { name: basename(path), content };
    }),
  );
}
