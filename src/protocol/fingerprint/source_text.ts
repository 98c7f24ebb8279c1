import type {
  DescriptorProto,
  EnumDescriptorProto,
  FileDescriptorProto,
  MethodDescriptorProto,
  ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import {
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  FileOptionsSchema,
  MessageOptionsSchema,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { type Block, extensionBlocks, fieldBlocks, type Place } from "./source_fields.ts";
import { optionLines, optionList } from "./source_options.ts";

/** The last number that a field may have. */
const lastNumber = 536_870_911;

/** Source of a described file: what the file means, without the comments and the layout that it had. */
export function sourceText(file: FileDescriptorProto): string {
  const { syntax } = file;
  const scope = file.package === "" ? "" : `.${file.package}`;
  const blocks: Block[] = [
    [`syntax = "${syntax || "proto2"}";`],
    file.package === "" ? [] : [`package ${file.package};`],
    file.dependency.map((name, at) => importLine(name, file.publicDependency.includes(at))),
    optionLines(FileOptionsSchema, file.options),
    ...file.enumType.map(enumeration),
    ...file.messageType.map((type) => message(type, { scope, syntax })),
    ...extensionBlocks(file.extension, syntax),
    ...file.service.map(service),
  ];
  const filled = blocks.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function importLine(name: string, isPublic: boolean): string {
  return `import ${isPublic ? "public " : ""}${JSON.stringify(name)};`;
}

function message(type: DescriptorProto, place: Place): Block {
  return block(`message ${type.name}`, body(type, place));
}

/** What stands in a message, or in a group, which is one. */
function body(type: DescriptorProto, { scope, syntax }: Place): string[] {
  const inside = { scope: `${scope}.${type.name}`, syntax };
  const { lines, entries } = fieldBlocks(type, inside, (group) => body(group, inside));
  const nested = type.nestedType.filter(({ name }) => !entries.has(name));
  return [
    ...optionLines(MessageOptionsSchema, type.options),
    ...rangeLines("reserved", type.reservedRange, 1),
    ...nameLine(type.reservedName),
    ...rangeLines("extensions", type.extensionRange, 1),
    ...type.enumType.flatMap(enumeration),
    ...nested.flatMap((each) => message(each, inside)),
    ...extensionBlocks(type.extension, syntax).flat(),
    ...lines,
  ];
}

function enumeration(type: EnumDescriptorProto): Block {
  return block(`enum ${type.name}`, [
    ...optionLines(EnumOptionsSchema, type.options),
    ...type.value.map(
      ({ name, number, options }) =>
        `${name} = ${number}${optionList(EnumValueOptionsSchema, options)};`,
    ),
    ...rangeLines("reserved", type.reservedRange, 0),
    ...nameLine(type.reservedName),
  ]);
}

function service(type: ServiceDescriptorProto): Block {
  const options = optionLines(ServiceOptionsSchema, type.options);
  return block(`service ${type.name}`, [...options, ...type.method.flatMap(method)]);
}

function method(each: MethodDescriptorProto): Block {
  const input = `${each.clientStreaming ? "stream " : ""}${each.inputType}`;
  const output = `${each.serverStreaming ? "stream " : ""}${each.outputType}`;
  const head = `rpc ${each.name}(${input}) returns (${output})`;
  const options = optionLines(MethodOptionsSchema, each.options);
  return options.length === 0 ? [`${head};`] : block(head, options);
}

/** @param beyond by how much an `end` lies behind the last number. */
function rangeLines(
  word: "reserved" | "extensions",
  ranges: readonly { readonly start: number; readonly end: number }[],
  beyond: number,
): string[] {
  return ranges.map(({ start, end }) => {
    const last = end - beyond;
    const isRange = last !== start;
    return `${word} ${start}${isRange ? ` to ${beyond === 1 && last >= lastNumber ? "max" : last}` : ""};`;
  });
}

function nameLine(names: readonly string[]): string[] {
  return names.length === 0
    ? []
    : [`reserved ${names.map((name) => JSON.stringify(name)).join(", ")};`];
}

function block(head: string, lines: readonly string[]): Block {
  if (lines.length === 0) return [`${head} {}`];
  return [`${head} {`, ...lines.map((line) => `  ${line}`), "}"];
}
