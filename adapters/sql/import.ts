import { ActrError, assertNever } from "../../src/errors.ts";
import type { Store, StoreChange } from "../../src/ports/store.ts";
import { type ExportLine, exportVersion } from "./export_lines.ts";

/** Settings of {@link importStore}. */
export interface ImportOptions {
  /** Called after each commit with the lines stored so far. */
  readonly onProgress?: (lines: number) => void;
  /** Lines of one commit. @default 256 */
  readonly batchSize?: number;
}

/**
 * Reads the lines of an export into an empty store; returns how many things were stored. Messages keep their order
 * and, in a store that never held any, their numbers. An import that failed half-way leaves what it stored: begin
 * again with a new file.
 * @throws ActrError `invalid_argument` for a store that is not empty or lines that are no export, `storage`.
 */
export async function importStore(
  store: Store,
  lines: AsyncIterable<string> | Iterable<string>,
  { onProgress, batchSize = 256 }: ImportOptions = {},
): Promise<number> {
  await checkEmpty(store);
  let batch: StoreChange[] = [];
  let number = 0;
  let stored = 0;
  const flush = async (): Promise<void> => {
    await store.commit(batch);
    stored += batch.length;
    batch = [];
    onProgress?.(stored);
  };
  for await (const text of lines) {
    number += 1;
    const line = parse(text, number);
    if (number === 1) checkHeader(line);
    else batch.push(toChange(line, number, store.opened.lastSeq));
    if (batch.length >= batchSize) await flush();
  }
  if (number === 0) throw new ActrError("invalid_argument", "an export has at least one line");
  if (batch.length > 0) await flush();
  return stored;
}

async function checkEmpty(store: Store): Promise<void> {
  const found =
    (await store.mailboxRows(0, 1)).length +
    (await store.deadLetters(1)).length +
    (await store.answers(0, 1)).length;
  if (found === 0 && (await store.nextSpace("")) === undefined) return;
  throw new ActrError("invalid_argument", `${store.name} is not empty; import into a new file`);
}

function checkHeader(line: ExportLine): void {
  if (line.kind !== "roost.store") {
    throw new ActrError("invalid_argument", "line 1 is not the header of an export of a store");
  }
  if (line.version === exportVersion) return;
  const versions = `version ${line.version}, this release reads ${exportVersion}`;
  throw new ActrError("invalid_argument", `the export has ${versions}; use the newer release`);
}

/** The numbers of messages begin above those that the store has given before; an answer has that of its line. */
function toChange(line: ExportLine, number: number, seqBase: number): StoreChange {
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

function parse(text: string, number: number): ExportLine {
  let value: unknown;
  try {
    value = JSON.parse(text, decodeBytes);
  } catch (cause) {
    throw broken(number, "not JSON", cause);
  }
  if (isLine(value)) return value;
  throw broken(number, "of no known kind");
}

function broken(number: number, what: string, cause?: unknown): ActrError {
  return new ActrError("invalid_argument", `line ${number} of the import is ${what}`, { cause });
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
};

function isLine(value: unknown): value is ExportLine {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  const expected = Object.entries(contents).find(([kind]) => kind === value.kind)?.[1];
  if (expected === undefined) return false;
  const [name, type] = expected;
  return typeof (value as Record<string, unknown>)[name] === type;
}
