import { parse, TomlError } from "smol-toml";
import { ActrError } from "../../errors.ts";

/** A document, or a table in it, as it is parsed. */
export type TomlValues = Readonly<Record<string, unknown>>;

/** One document as it stands. @throws ActrError `config` naming file, line and what is wrong there. */
export function parseToml(text: string, file: string): TomlValues {
  try {
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (cause) {
    throw new ActrError("config", tomlFault(cause, file), { cause });
  }
}

/** Where a document cannot be parsed, and why: one line, without the excerpt that the parser adds. */
export function tomlFault(cause: unknown, file: string): string {
  const place = cause instanceof TomlError ? `, line ${cause.line}` : "";
  const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
  return `${file}${place}: ${reason.replace(/^Invalid TOML document: /, "")}`;
}

/** Whether a value is a table: times and lists are objects, too. */
export function isTable(value: unknown): value is TomlValues {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) && !(value instanceof Date);
}

/** Reads a table by its keys; what is wrong is told by file, key, value and mend. Keys that nobody asks for do not matter. */
export class TomlTable {
  readonly values: TomlValues;
  readonly #file: string;
  /** What stands before its keys, with the dot. */
  readonly #prefix: string;

  /** @param prefix dotted name of the table; empty for the document. */
  constructor(values: TomlValues, file: string, prefix = "") {
    this.values = values;
    this.#file = file;
    this.#prefix = prefix === "" ? "" : `${prefix}.`;
  }

  /** @throws ActrError `config` where the key is missing, or no text. */
  requiredText(key: string): string {
    const value = this.text(key);
    if (value === undefined || value === "") throw this.missing(key);
    return value;
  }

  /** @throws ActrError `config` where the value is no text. */
  text(key: string): string | undefined {
    const value = this.values[key];
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(key, "it must be a text");
  }

  /** A text, or a TOML time as the text of one in ISO 8601. @throws ActrError `config`. */
  time(key: string): string | undefined {
    const value = this.values[key];
    return value instanceof Date ? value.toISOString() : this.text(key);
  }

  /** A list of texts; none where the key is missing. @throws ActrError `config`. */
  texts(key: string): readonly string[] {
    const value = this.values[key] ?? [];
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    throw this.wrong(key, "it must be a list of texts");
  }

  /** A whole number of `least` to `most`. @throws ActrError `config`. */
  integer(key: string, least: number, most: number): number | undefined {
    const value = this.values[key];
    if (value === undefined) return undefined;
    if (
      typeof value === "number" &&
      Number.isSafeInteger(value) &&
      value >= least &&
      value <= most
    ) {
      return value;
    }
    throw this.wrong(key, `it must be a whole number from ${least} to ${most}`);
  }

  /** A table in this one. @throws ActrError `config` where the value is none. */
  table(key: string): TomlTable | undefined {
    const value = this.values[key];
    if (value === undefined) return undefined;
    if (isTable(value)) return this.#inner(value, key);
    throw this.wrong(key, `it must be a table: [${this.#prefix}${key}]`);
  }

  /** @throws ActrError `config` where the table is missing. */
  requiredTable(key: string): TomlTable {
    const table = this.table(key);
    if (table === undefined) throw this.missing(key);
    return table;
  }

  /** A list of tables; none where the key is missing. @throws ActrError `config`. */
  tables(key: string): readonly TomlTable[] {
    const value = this.values[key] ?? [];
    if (!Array.isArray(value) || !value.every(isTable)) {
      throw this.wrong(key, `it must be a list of tables: [[${this.#prefix}${key}]]`);
    }
    return value.map((each, at) => this.#inner(each, `${key}[${at}]`));
  }

  /** Every key with the table that it must have. @throws ActrError `config`. */
  entries(): readonly (readonly [string, TomlTable])[] {
    return Object.keys(this.values).flatMap((key) => {
      const table = this.table(key);
      return table === undefined ? [] : [[key, table] as const];
    });
  }

  /** The error of a value that cannot be meant. */
  wrong(key: string, mend: string): ActrError {
    const value = this.values[key];
    return this.#refused(key, value, `is ${shown(value)}; ${mend}`);
  }

  /** The error of a key that is not there. */
  missing(key: string): ActrError {
    return this.#refused(key, undefined, "is missing; add it");
  }

  #refused(key: string, value: unknown, text: string): ActrError {
    const name = `${this.#prefix}${key}`;
    const details = { file: this.#file, key: name, ...(value === undefined ? {} : { value }) };
    return new ActrError("config", `${name} in ${this.#file} ${text}`, { details });
  }

  #inner(values: TomlValues, key: string): TomlTable {
    return new TomlTable(values, this.#file, `${this.#prefix}${key}`);
  }
}

/** Longest value that is shown, UTF-16 units. */
const longestShown = 100;

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each));
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
