/** Longest line that a whole value stands on, characters. */
const lineLength = 76;

/** JSON as people like to read it: what is short stands on one line. */
export function textOf(value: unknown, indent = ""): string {
  const line = lineOf(value);
  if (line.length + indent.length <= lineLength) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((each) => `${inner}${textOf(each, inner)}`);
    return `[\n${items.join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return line;
  const entries = Object.entries(value).map(([key, each]) => {
    return `${inner}${JSON.stringify(key)}: ${textOf(each, inner)}`;
  });
  return `{\n${entries.join(",\n")}\n${indent}}`;
}

function lineOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(lineOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}: ${lineOf(each)}`).join(", ")}}`;
}
