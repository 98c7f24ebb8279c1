import { ActrError } from "../../src/errors.ts";
import { type ExportLine, exportVersion } from "./export_lines.ts";

/** One line of an export. @throws ActrError `invalid_argument` for what is none; `number` is the line's, from 1. */
export function parseLine(text: string, number: number): ExportLine {
  let value: unknown;
  try {
    value = JSON.parse(text, decodeBytes);
  } catch (cause) {
    throw broken(number, "not JSON", cause);
  }
  if (isLine(value)) return value;
  throw broken(number, "of no known kind");
}

/** The version of an export that begins with this line. @throws ActrError `invalid_argument` for one that this release does not read. */
export function versionOf(line: ExportLine): number {
  if (line.kind !== "roost.store") {
    throw new ActrError("invalid_argument", "line 1 is not the header of an export of a store");
  }
  if (line.version >= 1 && line.version <= exportVersion) return line.version;
  const versions = `version ${line.version}, this release reads 1 to ${exportVersion}`;
  throw new ActrError("invalid_argument", `the export has ${versions}; use the newer release`);
}

/** A line that is not what it should be. */
export function broken(number: number, what: string, cause?: unknown): ActrError {
  return new ActrError("invalid_argument", `line ${number} of the import is ${what}`, { cause });
}

/** The export has fewer lines than it was written with. */
export function cutShort(lines: number): ActrError {
  const message = `the import is cut short after line ${lines}: its last line does not say how many there are; export again`;
  return new ActrError("invalid_argument", message);
}

function decodeBytes(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("base64" in value)) return value;
  return new Uint8Array(Buffer.from(String(value.base64), "base64"));
}

/** What each kind of line holds; a line that lacks it is cut short or of another tool. */
const contents: Readonly<Record<ExportLine["kind"], readonly [string, string]>> = {
  "roost.store": ["version", "number"],
  message: ["row", "object"],
  deadLetter: ["letter", "object"],
  answer: ["answer", "object"],
  record: ["value", "object"],
  database: ["name", "string"],
  statement: ["sql", "string"],
  table: ["columns", "object"],
  row: ["values", "object"],
  end: ["lines", "number"],
};

function isLine(value: unknown): value is ExportLine {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  const expected = Object.entries(contents).find(([kind]) => kind === value.kind)?.[1];
  if (expected === undefined) return false;
  const [name, type] = expected;
  return typeof (value as Record<string, unknown>)[name] === type;
}
