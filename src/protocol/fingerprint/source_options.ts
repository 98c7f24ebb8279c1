import { type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";

/** Options as statements, in the order of their numbers. */
export function optionLines(schema: DescMessage, options: Message | undefined): string[] {
  return Object.entries(optionTexts(schema, options)).map(
    ([name, text]) => `option ${name} = ${text};`,
  );
}

/** Options as they stand behind a field: ` [name = value]`, or nothing. @param more further ones, as source. */
export function optionList(
  schema: DescMessage,
  options: Message | undefined,
  more: Readonly<Record<string, string>> = {},
): string {
  const texts = Object.entries({ ...more, ...optionTexts(schema, options) });
  if (texts.length === 0) return "";
  return ` [${texts.map(([name, text]) => `${name} = ${text}`).join(", ")}]`;
}

/** Those of protobuf's own that are set and have one plain value; whether a message is a map's entry, its field says. */
function optionTexts(schema: DescMessage, options: Message | undefined): Record<string, string> {
  if (options === undefined) return {};
  const values = options as unknown as Readonly<Record<string, unknown>>;
  const texts: Record<string, string> = {};
  for (const field of schema.fields) {
    if (!isFieldSet(options, field) || field.name === "map_entry") continue;
    const value = values[field.localName];
    const name = field.enum?.values.find(({ number }) => number === value)?.name;
    if (field.enum !== undefined && name !== undefined) texts[field.name] = name;
    else if (typeof value === "string") texts[field.name] = JSON.stringify(value);
    else if (typeof value === "boolean") texts[field.name] = String(value);
  }
  return texts;
}
