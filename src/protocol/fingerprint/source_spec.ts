import { ActrError } from "../../errors.ts";
import type { ServiceSpecSchema } from "../gen/actr_pb.ts";
import type { MessageInit } from "../schema.ts";
import { type DescribedFile, describedFile } from "./described_file.ts";
import { describedSpec, type SpecHead } from "./described_spec.ts";
import { fileFingerprint } from "./fingerprint.ts";
import { protoFileJson } from "./proto_file.ts";

/** Most files, and most bytes of all together, that are described; a server takes 2 MiB with all else. */
const limits = { files: 256, bytes: 1024 * 1024 } as const;

/** One file of a service, by its name without folders. */
interface Source {
  readonly name: string;
  readonly content: string;
  readonly file: DescribedFile;
}

/**
 * What a node announces whose services are known by their proto sources alone, as a package has them
 * (`spec/protocol.md` §10.1): the sources as they are. Undefined without any.
 * @param sources UTF-8, by name. @throws ActrError `invalid_argument` for too many, or one that has no fingerprint.
 */
export async function sourceSpec(
  sources: ReadonlyMap<string, Uint8Array>,
  head: SpecHead,
): Promise<MessageInit<typeof ServiceSpecSchema> | undefined> {
  if (sources.size === 0) return undefined;
  requireFew(sources);
  const files = [...sources].map(([file, bytes]) => read(file, bytes));
  const together = files.map(({ file }) => file);
  const described = await Promise.all(
    files.map(async ({ name: file, content, file: meant }) => ({
      name: file,
      content,
      fingerprint: await fileFingerprint(meant, together),
    })),
  );
  return await describedSpec(described, head);
}

function requireFew(sources: ReadonlyMap<string, Uint8Array>): void {
  const bytes = [...sources.values()].reduce((sum, { length }) => sum + length, 0);
  if (sources.size <= limits.files && bytes <= limits.bytes) return;
  const most = `at most ${limits.files} files of ${limits.bytes} bytes are described`;
  throw new ActrError("invalid_argument", `${sources.size} files of ${bytes} bytes: ${most}`);
}

function read(name: string, bytes: Uint8Array): Source {
  const content = textOf(name, bytes);
  return { name, content, file: describedFile(protoFileJson(name, content)) };
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ActrError("invalid_argument", `${name} is no UTF-8`, { cause });
  }
}
