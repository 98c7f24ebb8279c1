import { type DescEnum, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { type CanonicalValue, filled } from "./canonical_json.ts";

/** Options as a canonical form has them, in the order of `names` and only those that are set and not false: enums by their identifiers. */
export function setOptions(
  schema: DescMessage,
  options: Message | undefined,
  names: readonly string[],
): Record<string, CanonicalValue> {
  const entries = names.map((name) => [name, optionOf(schema, options, name)] as const);
  return filled(Object.fromEntries(entries));
}

/** The same with false ones, and each as text. */
export function setOptionTexts(
  schema: DescMessage,
  options: Message | undefined,
  names: readonly string[],
): Record<string, string> {
  const entries = names.flatMap((name) => {
    const value = optionOf(schema, options, name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return Object.fromEntries(entries);
}

function optionOf(
  schema: DescMessage,
  options: Message | undefined,
  name: string,
): string | boolean | undefined {
  const field = schema.fields.find((each) => each.name === name);
  if (field === undefined) throw new TypeError(`${schema.typeName} has no option ${name}`);
  if (options === undefined || !isFieldSet(options, field)) return undefined;
  const value = (options as unknown as Record<string, unknown>)[field.localName];
  if (typeof value === "string" || typeof value === "boolean") return value;
  return field.enum === undefined ? undefined : identifier(field.enum, Number(value));
}

function identifier(type: DescEnum, number: number): string | undefined {
  return type.values.find((value) => value.number === number)?.name;
}
