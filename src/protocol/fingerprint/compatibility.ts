import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { typeName } from "./canonical_file.ts";
import { fileFingerprint } from "./fingerprint.ts";

/** How a file stands to what it was: `same` means the same, `compatible` serves all who knew the old one. */
export type FileChange = "same" | "compatible" | "breaking" | "added" | "removed";

/** What became of one file of a service. */
export interface FileComparison {
  readonly name: string;
  readonly change: FileChange;
  /** What callers of the old one miss, one sentence each; empty unless it is breaking. */
  readonly missing: readonly string[];
}

/**
 * Compares the files of a service, by their names, with what they were (`spec/protocol.md` §10.5): every message must
 * have its numbers with their types still, every service its methods with theirs. Names of fields, labels and what is
 * nested are not looked at.
 * @throws ActrError `invalid_argument` for a file that has no fingerprint.
 */
export async function compareServices(
  before: readonly FileDescriptorProto[],
  after: readonly FileDescriptorProto[],
): Promise<FileComparison[]> {
  const next = new Map(after.map((file) => [file.name, file]));
  const [old, now] = await Promise.all([fingerprints(before), fingerprints(after)]);
  const kept = before.map((file) =>
    compareFile(file, next.get(file.name), old.get(file.name) === now.get(file.name)),
  );
  const added = after.filter(({ name }) => !old.has(name));
  return [...kept, ...added.map(({ name }) => ({ name, change: "added", missing: [] }) as const)];
}

/** Whether callers of the old files are still served. */
export function isCompatible(comparisons: readonly FileComparison[]): boolean {
  return comparisons.every(({ change }) => change !== "breaking" && change !== "removed");
}

async function fingerprints(files: readonly FileDescriptorProto[]): Promise<Map<string, string>> {
  const entries = files.map(
    async (file) => [file.name, await fileFingerprint(file, files)] as const,
  );
  return new Map(await Promise.all(entries));
}

function compareFile(
  before: FileDescriptorProto,
  after: FileDescriptorProto | undefined,
  isSame: boolean,
): FileComparison {
  const { name } = before;
  if (after === undefined) return { name, change: "removed", missing: [`${name} is gone`] };
  if (isSame) return { name, change: "same", missing: [] };
  const missing = [...missingMessages(before, after), ...missingMethods(before, after)];
  return { name, change: missing.length === 0 ? "compatible" : "breaking", missing };
}

function missingMessages(before: FileDescriptorProto, after: FileDescriptorProto): string[] {
  return before.messageType.flatMap((type) => {
    const next = after.messageType.find(({ name }) => name === type.name);
    if (next === undefined) return [`message ${type.name} is gone`];
    const fields = numbersOf(next);
    return [...numbersOf(type)]
      .filter(([number, each]) => fields.get(number) !== each)
      .map(([number, each]) => {
        const now = fields.get(number);
        const place = `field ${number} of ${type.name}`;
        return now === undefined
          ? `${place}, which was ${each}, is gone`
          : `${place} is ${now}, and was ${each}`;
      });
  });
}

function numbersOf({ field }: DescriptorProto): Map<number, string> {
  return new Map(field.map((each) => [each.number, typeName(each)]));
}

function missingMethods(before: FileDescriptorProto, after: FileDescriptorProto): string[] {
  return before.service.flatMap((service) => {
    const next = after.service.find(({ name }) => name === service.name);
    if (next === undefined) return [`service ${service.name} is gone`];
    return service.method
      .filter((old) =>
        next.method.every(
          (now) =>
            now.name !== old.name ||
            now.inputType !== old.inputType ||
            now.outputType !== old.outputType,
        ),
      )
      .map(
        ({ name, inputType, outputType }) =>
          `method ${service.name}.${name}, from ${inputType} to ${outputType}, is gone`,
      );
  });
}
