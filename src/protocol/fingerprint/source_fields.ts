import { isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { camelName, typeName } from "./canonical_file.ts";
import { optionList } from "./source_options.ts";

/** Lines that belong together. */
export type Block = readonly string[];

/** Where a message stands. */
export interface Place {
  /** Absolute name of what it is declared in. */
  readonly scope: string;
  readonly syntax: string;
}

/** The fields of a message as source. */
export interface FieldLines {
  readonly lines: readonly string[];
  /** Names of nested messages that their fields have declared: of maps and groups. */
  readonly entries: ReadonlySet<string>;
}

/** The fields of a message, those of a oneof together. @param inside the message. @param groupBody what stands in a group. */
export function fieldBlocks(
  type: DescriptorProto,
  { scope, syntax }: Place,
  groupBody: (group: DescriptorProto) => Block,
): FieldLines {
  const entries = new Set<string>();
  const { oneofIndex } = FieldDescriptorProtoSchema.field;
  const linesOf = (field: FieldDescriptorProto, label: string): Block => {
    const nested = type.nestedType.find(({ name }) => field.typeName === `${scope}.${name}`);
    const isGroup = field.type === Type.GROUP && nested !== undefined;
    const isMap = nested?.options?.mapEntry === true;
    if (isGroup || isMap) entries.add(nested.name);
    if (isGroup) {
      const inner = groupBody(nested).map((line) => `  ${line}`);
      return [`${label}group ${nested.name} = ${field.number} {`, ...inner, "}"];
    }
    const shown = isMap ? mapType(nested) : `${label}${typeName(field)}`;
    return [`${shown} ${field.name} = ${field.number}${optionsOf(field)};`];
  };
  const lines: string[] = [];
  const written = new Set<number>();
  for (const field of type.field) {
    const inOneof = isFieldSet(field, oneofIndex) && !field.proto3Optional;
    if (!inOneof) {
      lines.push(...linesOf(field, labelOf(field, syntax)));
    } else if (!written.has(field.oneofIndex)) {
      written.add(field.oneofIndex);
      const members = type.field.filter(
        (each) => isFieldSet(each, oneofIndex) && each.oneofIndex === field.oneofIndex,
      );
      const inner = members.flatMap((each) => linesOf(each, ""));
      lines.push(`oneof ${type.oneofDecl[field.oneofIndex]?.name ?? ""} {`);
      lines.push(...inner.map((line) => `  ${line}`), "}");
    }
  }
  return { lines, entries };
}

/** Extensions, those of one message together. */
export function extensionBlocks(
  fields: readonly FieldDescriptorProto[],
  syntax: string,
): readonly Block[] {
  const byExtendee = new Map<string, FieldDescriptorProto[]>();
  for (const field of fields) {
    byExtendee.set(field.extendee, [...(byExtendee.get(field.extendee) ?? []), field]);
  }
  return [...byExtendee].map(([extendee, members]) => [
    `extend ${extendee} {`,
    ...members.map(
      (each) =>
        `  ${labelOf(each, syntax)}${typeName(each)} ${each.name} = ${each.number}${optionsOf(each)};`,
    ),
    "}",
  ]);
}

/** A label with the space behind it; proto3 has none for a plain field. */
function labelOf({ label, proto3Optional }: FieldDescriptorProto, syntax: string): string {
  if (label === Label.REPEATED) return "repeated ";
  if (label === Label.REQUIRED) return "required ";
  return proto3Optional || syntax !== "proto3" ? "optional " : "";
}

function mapType({ field }: DescriptorProto): string {
  return `map<${field.map(typeName).join(", ")}>`;
}

function optionsOf(field: FieldDescriptorProto): string {
  const { defaultValue } = FieldDescriptorProtoSchema.field;
  const named = field.jsonName === "" || field.jsonName === camelName(field.name);
  const own = {
    ...(isFieldSet(field, defaultValue) ? { default: defaultText(field) } : {}),
    ...(named ? {} : { json_name: JSON.stringify(field.jsonName) }),
  };
  return optionList(FieldOptionsSchema, field.options, own);
}

/** Defaults of bytes are escaped in a descriptor already. */
function defaultText({ type, defaultValue }: FieldDescriptorProto): string {
  if (type === Type.BYTES) return `"${defaultValue}"`;
  return type === Type.STRING ? JSON.stringify(defaultValue) : defaultValue;
}
