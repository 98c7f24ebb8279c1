import protobuf from "protobufjs";
import { ActrError } from "../../errors.ts";
import type { JsonValue } from "../schema.ts";

type Json = { [key: string]: JsonValue };

/** What a name stands for. */
type Kind = "message" | "enum" | "group";

/** Options that are fields of their own in a descriptor, and the one that no fingerprint sees. */
const leftOut = ["default", "json_name", "proto3_optional", "(actr.payload_type)"];

/**
 * A `.proto` source, read by itself alone, as the ProtoJSON of its `google.protobuf.FileDescriptorProto`. Names of other
 * files stay as they are written. @throws ActrError `invalid_argument` for a source that is none, or has an edition.
 */
export function protoFileJson(name: string, source: string): JsonValue {
  const { root, package: scope = "", imports = [], weakImports = [] } = parse(name, source);
  const content = (scope === "" ? root : root.lookup(scope)) as protobuf.NamespaceBase;
  // The parser notes it at the file's own parts.
  const syntax: unknown = Reflect.get(content.nestedArray[0] ?? content, "_edition");
  if (syntax !== "proto2" && syntax !== "proto3") {
    throw new ActrError("invalid_argument", `${name} has an edition; use proto2 or proto3`);
  }
  const file = new SourceFile(content);
  return {
    name,
    package: scope,
    syntax,
    dependency: [...imports, ...weakImports],
    ...file.members(content),
    service: content.nestedArray
      .filter((each) => each instanceof protobuf.Service)
      .map((each) => file.service(each)),
    options: optionsOf(content),
  };
}

function parse(name: string, source: string): protobuf.IParserResult {
  try {
    return protobuf.parse(source, new protobuf.Root(), { keepCase: true });
  } catch (cause) {
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new ActrError("invalid_argument", `${name} is no .proto source: ${reason}`, { cause });
  }
}

class SourceFile {
  /** Absolute names of what the file declares. */
  readonly #kinds = new Map<string, Kind>();

  constructor(content: protobuf.NamespaceBase) {
    this.#declare(content);
  }

  /** Messages, enums and extensions right in a namespace. */
  members(space: protobuf.NamespaceBase): Json {
    const nested = space.nestedArray;
    const [messages, enums] = space instanceof protobuf.Type ? nestedKeys : topKeys;
    const fields = nested.filter((each) => each instanceof protobuf.Field);
    return {
      [messages]: nested
        .filter((each) => each instanceof protobuf.Type)
        .map((each) => this.#message(each)),
      [enums]: nested.filter((each) => each instanceof protobuf.Enum).map(enumeration),
      extension: fields.map((each) => ({
        ...this.#field(each, undefined),
        extendee: this.#absolute(space, each.extend ?? ""),
      })),
    };
  }

  service(type: protobuf.Service): Json {
    return {
      name: type.name,
      options: optionsOf(type),
      method: type.methodsArray.map((each) => ({
        name: each.name,
        inputType: this.#absolute(type, each.requestType),
        outputType: this.#absolute(type, each.responseType),
        clientStreaming: each.requestStream === true,
        serverStreaming: each.responseStream === true,
        options: optionsOf(each),
      })),
    };
  }

  #declare(space: protobuf.NamespaceBase): void {
    for (const each of space.nestedArray) {
      if (each instanceof protobuf.Enum) this.#kinds.set(each.fullName, "enum");
      if (!(each instanceof protobuf.Type)) continue;
      this.#kinds.set(each.fullName, Reflect.get(each, "group") === true ? "group" : "message");
      this.#declare(each);
    }
  }

  #message(type: protobuf.Type): Json {
    const fields = type.fieldsArray.filter(({ declaringField }) => declaringField == null);
    const members = this.members(type);
    const entries = fields.filter((each) => each instanceof protobuf.MapField);
    const nested = members["nestedType"] as Json[];
    return {
      ...members,
      name: type.name,
      field: fields.map((each) => this.#field(each, type)),
      nestedType: [...nested, ...entries.map((each) => this.#entry(type, each))],
      oneofDecl: type.oneofsArray.map(({ name }) => ({ name })),
      ...reservedOf(type.reserved, 1),
      extensionRange: (type.extensions ?? []).map(([start = 0, end = 0]) => ({
        start,
        end: end + 1,
      })),
      options: optionsOf(type),
    };
  }

  #field(field: protobuf.FieldBase, type: protobuf.Type | undefined): Json {
    const { default: defaultValue, json_name: jsonName, proto3_optional } = field.options ?? {};
    const oneof = type?.oneofsArray.findIndex(({ oneof: names }) => names.includes(field.name));
    const isMap = field instanceof protobuf.MapField;
    const repeated = isMap || Reflect.get(field, "rule") === "repeated";
    const required = Reflect.get(field, "rule") === "required";
    return {
      name: field.name,
      number: field.id,
      label: repeated ? "LABEL_REPEATED" : required ? "LABEL_REQUIRED" : "LABEL_OPTIONAL",
      ...(isMap && type !== undefined
        ? { type: "TYPE_MESSAGE", typeName: `${type.fullName}.${entryName(field.name)}` }
        : this.#typed(field.parent ?? field, field.type)),
      ...(oneof === undefined || oneof < 0 ? {} : { oneofIndex: oneof }),
      ...(proto3_optional === true ? { proto3Optional: true } : {}),
      ...(defaultValue === undefined ? {} : { defaultValue: String(defaultValue) }),
      ...(jsonName === undefined ? {} : { jsonName: String(jsonName) }),
      options: optionsOf(field),
    };
  }

  /** The message that a map's entries are. */
  #entry(type: protobuf.Type, map: protobuf.MapField): Json {
    const label = "LABEL_OPTIONAL";
    return {
      name: entryName(map.name),
      field: [
        { name: "key", number: 1, label, ...this.#typed(type, map.keyType) },
        { name: "value", number: 2, label, ...this.#typed(type, map.type) },
      ],
      options: { mapEntry: true },
    };
  }

  #typed(from: protobuf.ReflectionObject, type: string): Json {
    if (type in protobuf.types.basic) return { type: `TYPE_${type.toUpperCase()}` };
    const typeName = this.#absolute(from, type);
    const kind = this.#kinds.get(typeName) ?? "message";
    return { type: `TYPE_${kind.toUpperCase()}`, typeName };
  }

  /** A name as it is found from a place: in the innermost scope that declares it. */
  #absolute(from: protobuf.ReflectionObject, name: string): string {
    if (name.startsWith(".")) return name;
    for (let scope: protobuf.ReflectionObject | null = from; scope !== null; scope = scope.parent) {
      const found = `${scope.fullName}.${name}`;
      if (this.#kinds.has(found)) return found;
    }
    return `.${name}`;
  }
}

const topKeys = ["messageType", "enumType"] as const;
const nestedKeys = ["nestedType", "enumType"] as const;

function enumeration(type: protobuf.Enum): Json {
  return {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => ({
      name,
      number,
      options: plainOptions(type.valuesOptions?.[name]),
    })),
    ...reservedOf(type.reserved, 0),
    options: optionsOf(type),
  };
}

/** Ranges whose last number is included in the source; a descriptor adds `beyond`. */
function reservedOf(
  reserved: readonly (string | readonly number[])[] | undefined,
  beyond: number,
): Json {
  const ranges = (reserved ?? []).filter((each) => typeof each !== "string");
  return {
    reservedRange: ranges.map(([start = 0, end = start]) => ({ start, end: end + beyond })),
    reservedName: (reserved ?? []).filter((each) => typeof each === "string"),
  };
}

function optionsOf({ options }: protobuf.ReflectionObject): Json {
  return plainOptions(options);
}

function plainOptions(options: { readonly [key: string]: unknown } | undefined): Json {
  const entries = Object.entries(options ?? {});
  return Object.fromEntries(entries.filter(([name]) => !leftOut.includes(name))) as Json;
}

/** `some_counts` becomes `SomeCountsEntry`. */
function entryName(field: string): string {
  return `${field.replace(/(?:^|_)(.)/g, (_, next: string) => next.toUpperCase())}Entry`;
}
