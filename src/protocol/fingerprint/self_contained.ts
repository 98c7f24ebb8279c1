import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { ActrError } from "../../errors.ts";

/** Files that every compiler brings. */
const wellKnown = "google/protobuf/";
const wellKnownTypes = ".google.protobuf.";

/**
 * A file has a fingerprint by itself, or together with the others of its service: what else it imports may change without it.
 * @throws ActrError `invalid_argument` for an edition, a type of a file that is none of `together`, or an option that is not of protobuf's own.
 */
export function requireSelfContained(
  file: FileDescriptorProto,
  together: readonly FileDescriptorProto[],
): void {
  if (file.syntax === "editions") throw refused(file, "has an edition; use proto2 or proto3");
  const types = new Set([file, ...together].flatMap(declaredIn));
  const importsWellKnown = file.dependency.some((path) => path.startsWith(wellKnown));
  for (const used of usedIn(file)) {
    if (types.has(used) || (importsWellKnown && used.startsWith(wellKnownTypes))) continue;
    throw refused(file, `uses ${used} of another file; name that file too, or declare it here`);
  }
  for (const options of optionsIn(file)) {
    const [unknown] = options?.$unknown ?? [];
    if (unknown === undefined) continue;
    throw refused(file, `has the custom option ${unknown.no}; leave it out`);
  }
}

function refused({ name }: FileDescriptorProto, what: string): ActrError {
  return new ActrError("invalid_argument", `${name} ${what}: it has no fingerprint so`);
}

/** Absolute names of all messages and enums. */
function declaredIn(file: FileDescriptorProto): string[] {
  const scope = file.package === "" ? "" : `.${file.package}`;
  const enums = file.enumType.map(({ name }) => `${scope}.${name}`);
  return [...enums, ...file.messageType.flatMap((type) => namesIn(type, scope))];
}

function namesIn(type: DescriptorProto, scope: string): string[] {
  const name = `${scope}.${type.name}`;
  const enums = type.enumType.map((each) => `${name}.${each.name}`);
  return [name, ...enums, ...type.nestedType.flatMap((nested) => namesIn(nested, name))];
}

function withNested(type: DescriptorProto): DescriptorProto[] {
  return [type, ...type.nestedType.flatMap(withNested)];
}

function usedIn(file: FileDescriptorProto): string[] {
  const messages = file.messageType.flatMap(withNested);
  const extensions = [...file.extension, ...messages.flatMap((type) => type.extension)];
  const fields = [...messages.flatMap((type) => type.field), ...extensions];
  const methods = file.service.flatMap((service) => service.method);
  return [
    ...fields.map(({ typeName }) => typeName).filter((name) => name !== ""),
    ...extensions.map(({ extendee }) => extendee),
    ...methods.flatMap(({ inputType, outputType }) => [inputType, outputType]),
  ];
}

/** The options of everything that has some. */
function optionsIn(file: FileDescriptorProto): FileDescriptorProto["options"][] {
  const messages = file.messageType.flatMap(withNested);
  const enums = [...file.enumType, ...messages.flatMap((type) => type.enumType)];
  const parts = [
    ...[file, ...messages, ...enums, ...file.service],
    ...messages.flatMap((type) => [...type.field, ...type.extension, ...type.oneofDecl]),
    ...enums.flatMap((type) => type.value),
    ...[...file.extension, ...file.service.flatMap((service) => service.method)],
  ];
  return parts.map(({ options }) => options as FileDescriptorProto["options"]);
}
