import { isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  EnumOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileOptionsSchema,
  FieldDescriptorProto_Label as Label,
  MessageOptionsSchema,
  type MethodDescriptorProto,
  MethodOptionsSchema,
  type ServiceDescriptorProto,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { byName, byNumber, type CanonicalValue, distinct, filled } from "./canonical_json.ts";
import { setOptions, setOptionTexts } from "./set_options.ts";

/** Options of a file that a canonical form shows, in its order; `php_generic_services` is in no descriptor any more. */
const fileOptions = [
  "go_package",
  "java_package",
  "csharp_namespace",
  "ruby_package",
  "java_multiple_files",
  "java_outer_classname",
  "java_string_check_utf8",
  "java_generic_services",
  "objc_class_prefix",
  "php_class_prefix",
  "php_namespace",
  "php_metadata_namespace",
  "swift_prefix",
  "cc_generic_services",
  "cc_enable_arenas",
  "py_generic_services",
  "optimize_for",
] as const;

/** What a file means, whatever it looks like: the text that its fingerprint is the hash of (`spec/protocol.md` §10.2). */
export function canonicalFile(file: FileDescriptorProto): string {
  const form = filled({
    package: file.package,
    syntax: file.syntax || "proto2",
    imports: distinct(file.dependency),
    messages: [...file.messageType].sort(byName).map(message),
    enums: [...file.enumType].sort(byName).map(enumeration),
    services: [...file.service].sort(byName).map(service),
    extensions: file.extension.map(extension),
    ...setOptions(FileOptionsSchema, file.options, fileOptions),
  });
  return JSON.stringify(form, null, 2);
}

function message(type: DescriptorProto): CanonicalValue {
  const oneofs = oneofOrder(type);
  return filled({
    name: type.name,
    fields: [...type.field].sort(byNumber).map((each) => field(each, oneofs)),
    nested_messages: [...type.nestedType].sort(byName).map(message),
    nested_enums: [...type.enumType].sort(byName).map(enumeration),
    oneofs: oneofs.map((index) => type.oneofDecl[index]?.name ?? ""),
    reserved_ranges: ranges(type.reservedRange),
    reserved_names: distinct(type.reservedName).map((name) => ({ name })),
    extension_ranges: ranges(type.extensionRange),
    ...setOptions(MessageOptionsSchema, type.options, [
      "message_set_wire_format",
      "no_standard_descriptor_accessor",
      "deprecated",
    ]),
  });
}

/** Oneofs as the source has their first fields: compilers put those of `optional` fields last. */
function oneofOrder(type: DescriptorProto): number[] {
  const { oneofIndex } = FieldDescriptorProtoSchema.field;
  return [
    ...new Set(
      type.field.filter((each) => isFieldSet(each, oneofIndex)).map((each) => each.oneofIndex),
    ),
  ];
}

function field(each: FieldDescriptorProto, oneofs: readonly number[]): CanonicalValue {
  const { jsonName, defaultValue } = namesOf(each);
  const { jstype, ctype, deprecated, weak } = setOptions(FieldOptionsSchema, each.options, [
    "jstype",
    "ctype",
    "deprecated",
    "weak",
  ]);
  const texts = setOptionTexts(FieldOptionsSchema, each.options, [
    "ctype",
    "deprecated",
    "jstype",
    "packed",
    "weak",
  ]);
  const options = { ...texts, ...defaultEntry(defaultValue), json_name: jsonName };
  const { oneofIndex } = FieldDescriptorProtoSchema.field;
  return filled({
    name: each.name,
    number: each.number,
    label: labelOf(each),
    type_name: typeName(each),
    oneof_index: isFieldSet(each, oneofIndex) ? oneofs.indexOf(each.oneofIndex) : undefined,
    default: defaultValue,
    json_name: jsonName,
    jstype,
    ctype,
    deprecated,
    weak,
    options: Object.fromEntries(Object.entries(options).sort()),
  });
}

function extension(each: FieldDescriptorProto): CanonicalValue {
  const { deprecated } = setOptions(FieldOptionsSchema, each.options, ["deprecated"]);
  return filled({
    name: each.name,
    number: each.number,
    extendee: each.extendee,
    type_name: typeName(each),
    label: labelOf(each),
    default: namesOf(each).defaultValue,
    deprecated,
  });
}

function enumeration(type: EnumDescriptorProto): CanonicalValue {
  const names = ["allow_alias", "deprecated"];
  const texts = setOptionTexts(EnumOptionsSchema, type.options, names);
  return filled({
    name: type.name,
    values: [...type.value].sort(byNumber).map(({ name, number }) => ({ name, number })),
    reserved_ranges: ranges(type.reservedRange),
    reserved_names: distinct(type.reservedName).map((name) => ({ name })),
    ...setOptions(EnumOptionsSchema, type.options, names),
    options: Object.keys(texts).length === 0 ? undefined : texts,
  });
}

function service(type: ServiceDescriptorProto): CanonicalValue {
  return filled({ name: type.name, methods: [...type.method].sort(byName).map(method) });
}

function method(each: MethodDescriptorProto): CanonicalValue {
  return filled({
    name: each.name,
    input_type: each.inputType,
    output_type: each.outputType,
    client_streaming: each.clientStreaming,
    server_streaming: each.serverStreaming,
    ...setOptions(MethodOptionsSchema, each.options, ["idempotency_level"]),
  });
}

/** Ranges of a message end before their `end`, those of an enum with it; both as the descriptor has them. */
function ranges(
  list: readonly { readonly start: number; readonly end: number }[],
): CanonicalValue[] {
  const known = new Map(list.map(({ start, end }) => [`${start} ${end}`, { start, end }]));
  return [...known.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

function labelOf({ label }: FieldDescriptorProto): string | undefined {
  if (label === Label.REQUIRED) return "required";
  return label === Label.REPEATED ? "repeated" : undefined;
}

/** The absolute name of a message or an enum, or that of a scalar. */
export function typeName(each: FieldDescriptorProto): string {
  return each.typeName || Type[each.type].toLowerCase();
}

function namesOf(each: FieldDescriptorProto): { jsonName: string; defaultValue?: string } {
  const { defaultValue } = FieldDescriptorProtoSchema.field;
  const jsonName = each.jsonName || camelName(each.name);
  return isFieldSet(each, defaultValue)
    ? { jsonName, defaultValue: each.defaultValue }
    : { jsonName };
}

/** The name of a field in JSON, where it has none of its own. */
export function camelName(name: string): string {
  return name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}

function defaultEntry(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { default: value };
}
