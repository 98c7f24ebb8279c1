import type { DescFile } from "@bufbuild/protobuf";
import type { ServiceSpecSchema } from "../gen/actr_pb.ts";
import type { MessageInit, ServiceDescriptor } from "../schema.ts";
import { describedSpec, type SpecHead } from "./described_spec.ts";
import { fileFingerprint } from "./fingerprint.ts";
import { isOwnFile, withoutOwnOptions } from "./own_options.ts";
import { sourceText } from "./source_text.ts";

const wellKnown = "google/protobuf/";

/**
 * What nodes announce of the services that they serve (`spec/protocol.md` §10.1): their files, and all that these import,
 * as source with their fingerprints. Undefined where nothing is served.
 * @throws ActrError `invalid_argument` for a file that has no fingerprint.
 */
export async function serviceSpec(
  services: readonly ServiceDescriptor[],
  head: SpecHead,
): Promise<MessageInit<typeof ServiceSpecSchema> | undefined> {
  const files = filesOf(services);
  if (files.length === 0) return undefined;
  const protos = files.map(({ proto }) => proto);
  const names = namesOf(files);
  const described = await Promise.all(
    files.map(async (file, at) => ({
      name: names[at] ?? file.proto.name,
      content: sourceText(withoutOwnOptions(file.proto)),
      fingerprint: await fileFingerprint(file.proto, protos),
    })),
  );
  return await describedSpec(described, head);
}

/** The services' files and what they import, each once; without those that every Actr node has. */
function filesOf(services: readonly ServiceDescriptor[]): DescFile[] {
  const found = new Set<DescFile>();
  const add = (file: DescFile): void => {
    const { name } = file.proto;
    if (found.has(file) || name.startsWith(wellKnown) || isOwnFile(name)) return;
    found.add(file);
    for (const imported of file.dependencies) add(imported);
  };
  for (const { file } of services) add(file);
  return [...found];
}

/** Names without folders, as manifests have them; with them where two files are called the same. */
function namesOf(files: readonly DescFile[]): string[] {
  const paths = files.map(({ proto }) => proto.name);
  const bases = paths.map((path) => path.slice(path.lastIndexOf("/") + 1));
  return bases.map((base, at) =>
    bases.indexOf(base) === bases.lastIndexOf(base) ? base : (paths[at] ?? base),
  );
}
