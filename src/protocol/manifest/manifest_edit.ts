import { stringify } from "smol-toml";
import { ActrError } from "../../errors.ts";
import { isTable, parseToml, type TomlValues } from "./toml_table.ts";

/** A dependency as a manifest names it. */
export interface DependencyEntry {
  /** `manufacturer:name:version`. */
  readonly type: string;
  /** u32. */
  readonly realm?: number;
}

const header = /^\s*\[\s*dependencies\s*\]\s*(#.*)?$/;
const anyHeader = /^\s*\[/;

/**
 * The text of a manifest with one more dependency, or another in its place; all else stays as it stands, comments too.
 * @throws ActrError `config` for a text that is none, or has it in a form that is not edited: several lines, or a table of its own.
 */
export function withDependency(
  text: string,
  alias: string,
  { type, realm }: DependencyEntry,
  file = "manifest.toml",
): string {
  const document = parseToml(text, file);
  const before = dependenciesOf(document);
  const known = isTable(before[alias]) ? before[alias] : {};
  const entry = { ...known, actr_type: type, ...(realm === undefined ? {} : { realm }) };
  const wanted = { ...document, dependencies: { ...before, [alias]: entry } };
  const line = `${keyText(alias)} = ${inlineText(entry)}`;
  return checked(placed(text, alias, line), wanted, { file, line });
}

/** The text of a manifest without one dependency. @throws ActrError `config` as {@link withDependency}; `not_found` without it. */
export function withoutDependency(text: string, alias: string, file = "manifest.toml"): string {
  const document = parseToml(text, file);
  const { [alias]: gone, ...rest } = dependenciesOf(document);
  if (gone === undefined) {
    throw new ActrError("not_found", `${file} has no dependency ${alias}`);
  }
  const wanted = { ...document, dependencies: rest };
  return checked(placed(text, alias, undefined), wanted, { file, line: `${keyText(alias)} = …` });
}

function dependenciesOf(document: TomlValues): TomlValues {
  const { dependencies } = document;
  return isTable(dependencies) ? dependencies : {};
}

/** Puts a line in the place of an alias, or behind the others; no line takes it away. */
function placed(text: string, alias: string, line: string | undefined): string {
  const lines = text.split("\n");
  const start = lines.findIndex((each) => header.test(each));
  const added = line === undefined ? [] : [line];
  if (start < 0) {
    const head = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return [`${head}${head === "" ? "" : "\n"}[dependencies]`, ...added, ""].join("\n");
  }
  const after = lines.findIndex((each, at) => at > start && anyHeader.test(each));
  const end = after < 0 ? lines.length : after;
  const at = lines.findIndex((each, index) => index > start && index < end && names(each, alias));
  if (at >= 0) return lines.toSpliced(at, 1, ...added).join("\n");
  const last = lines.findLastIndex((each, index) => index < end && each.trim() !== "");
  return lines.toSpliced(last + 1, 0, ...added).join("\n");
}

/** Whether a line gives `alias` its value. */
function names(line: string, alias: string): boolean {
  const [key = ""] = line.split("=");
  const text = key.trim();
  return text === alias || text === JSON.stringify(alias) || text === `'${alias}'`;
}

/** The edited text, if it says what it is to say: no line is understood here, so this is looked at. */
function checked(
  text: string,
  wanted: TomlValues,
  { file, line }: { readonly file: string; readonly line: string },
): string {
  if (same(text, wanted)) return text;
  const message = `the dependencies in ${file} stand in a form that is not edited; have this there yourself: ${line}`;
  throw new ActrError("config", message, { details: { file, line } });
}

function same(text: string, wanted: TomlValues): boolean {
  try {
    return stringify(parseToml(text, "")) === stringify(wanted);
  } catch {
    return false;
  }
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** A table on one line. */
function inlineText(values: TomlValues): string {
  const entries = Object.entries(values).map(([key, value]) => {
    const text = isTable(value) ? inlineText(value) : stringify({ v: value }).slice(4).trim();
    return `${keyText(key)} = ${text}`;
  });
  return `{ ${entries.join(", ")} }`;
}
