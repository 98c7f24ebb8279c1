import { ActrError, assertNever } from "../../src/errors.ts";
import type { Store, StoreChange } from "../../src/ports/store.ts";
import type { DatabaseLine, ExportLine } from "./export_lines.ts";
import { DatabaseImport } from "./import_databases.ts";
import { broken, cutShort, parseLine, versionOf } from "./import_lines.ts";
import type { PortableDatabases } from "./portable_databases.ts";

/** What is between the first line and the last; a second header among it is no entry. */
type EntryLine = Exclude<ExportLine, { readonly kind: "end" }>;

/** Settings of {@link importStore}. */
export interface ImportOptions {
  /** Where databases of actors go; without them an export that has some is refused. */
  readonly databases?: PortableDatabases | undefined;
  /** Called after each commit of the store, and as often for databases, with the lines taken so far. */
  readonly onProgress?: (lines: number) => void;
  /** Lines of one commit. @default 256 */
  readonly batchSize?: number;
}

/**
 * Reads the lines of an export into an empty store, and databases that are not there yet; returns how many lines were
 * stored. Messages keep their order and, in a store that never held any, their numbers. An import that failed half-way
 * leaves what it stored: begin again with a new file.
 * @throws ActrError `invalid_argument` for a store that is not empty or lines that are no whole export, `storage`.
 */
export async function importStore(
  store: Store,
  lines: AsyncIterable<string> | Iterable<string>,
  options: ImportOptions = {},
): Promise<number> {
  await checkEmpty(store);
  const target = new ImportTarget(store, options);
  try {
    await readLines(lines, (line, number) => target.take(line, number));
    await target.end();
  } finally {
    await target.close();
  }
  return target.taken;
}

/** Hands each line between the first and the last to `take`. */
async function readLines(
  lines: AsyncIterable<string> | Iterable<string>,
  take: (line: EntryLine, number: number) => Promise<void>,
): Promise<void> {
  let number = 0;
  let version = 1;
  let end: number | undefined;
  for await (const text of lines) {
    number += 1;
    const line = parseLine(text, number);
    if (number === 1) version = versionOf(line);
    else if (end !== undefined) throw broken(number, "behind its end");
    else if (line.kind === "end") end = line.lines;
    else await take(line, number);
  }
  if (number === 0) throw new ActrError("invalid_argument", "an export has at least one line");
  // The first version has no last line.
  if (version > 1 && end !== number - 2) throw cutShort(number);
}

/** A store that is being filled, and the databases that belong to it. */
class ImportTarget {
  readonly #store: Store;
  readonly #databases: DatabaseImport;
  readonly #batchSize: number;
  readonly #onProgress: ((lines: number) => void) | undefined;
  #batch: StoreChange[] = [];
  /** Lines taken. */
  taken = 0;

  constructor(store: Store, { databases, onProgress, batchSize = 256 }: ImportOptions) {
    this.#store = store;
    this.#databases = new DatabaseImport(databases, batchSize);
    this.#batchSize = batchSize;
    this.#onProgress = onProgress;
  }

  async take(line: EntryLine, number: number): Promise<void> {
    this.taken += 1;
    if (isDatabaseLine(line)) await this.#databases.take(line);
    else this.#batch.push(toChange(line, number, this.#store.opened.lastSeq));
    if (this.#batch.length >= this.#batchSize) await this.#flush();
    else if (this.#batch.length === 0 && this.taken % this.#batchSize === 0) this.#tell();
  }

  async end(): Promise<void> {
    await this.#databases.end();
    if (this.#batch.length > 0) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#databases.close();
  }

  async #flush(): Promise<void> {
    await this.#store.commit(this.#batch);
    this.#batch = [];
    this.#tell();
  }

  #tell(): void {
    this.#onProgress?.(this.taken);
  }
}

async function checkEmpty(store: Store): Promise<void> {
  const found =
    (await store.mailboxRows(0, 1)).length +
    (await store.deadLetters(1)).length +
    (await store.answers(0, 1)).length;
  if (found === 0 && (await store.nextSpace("")) === undefined) return;
  throw new ActrError("invalid_argument", `${store.name} is not empty; import into a new file`);
}

function isDatabaseLine(line: EntryLine): line is DatabaseLine {
  return ["database", "statement", "table", "row"].includes(line.kind);
}

/** The numbers of messages begin above those that the store has given before; an answer has that of its line. */
function toChange(
  line: Exclude<EntryLine, DatabaseLine>,
  number: number,
  seqBase: number,
): StoreChange {
  switch (line.kind) {
    case "message":
      return { kind: "mailbox.put", row: { ...line.row, seq: seqBase + line.row.seq } };
    case "deadLetter":
      return { kind: "deadLetter.put", letter: line.letter };
    case "answer":
      return { kind: "answer.put", answer: { ...line.answer, seq: number } };
    case "record":
      return { kind: "record.put", space: line.space, key: line.key, value: line.value };
    case "roost.store":
      throw broken(number, "a second header");
    default:
      return assertNever(line);
  }
}
