import type { Store } from "../../src/ports/store.ts";
import { databasePages } from "./export_databases.ts";
import { type ExportLine, exportVersion } from "./export_lines.ts";
import type { PortableDatabases } from "./portable_databases.ts";

/** Settings of {@link exportStore}. */
export interface ExportOptions {
  /** Databases of the store's actors, to be exported with it. */
  readonly databases?: PortableDatabases | undefined;
  /** Called after each page with the lines given out so far, without the first. */
  readonly onProgress?: (lines: number) => void;
  /** Rows read at once. @default 256 */
  readonly pageSize?: number;
}

/**
 * Everything in a store as JSON lines, without line ends: a header, then messages, dead letters (oldest first), answers
 * and records, databases of its actors, and how many lines there were. Memory stays within one page. Changes made
 * meanwhile may or may not be included.
 * @throws ActrError `storage`.
 */
export async function* exportStore(
  store: Store,
  { databases, onProgress, pageSize = 256 }: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  let lines = 0;
  yield textOf({ kind: "roost.store", version: exportVersion });
  for await (const page of pages(store, databases, pageSize)) {
    for (const line of page) yield textOf(line);
    lines += page.length;
    onProgress?.(lines);
  }
  yield textOf({ kind: "end", lines });
}

function textOf(line: ExportLine): string {
  return JSON.stringify(line, encodeBytes);
}

/** Bytes as an object of one property. Looks at the original: a Buffer has made a list of itself by the time of the call. */
function encodeBytes(
  this: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown,
): unknown {
  const original = this[key];
  return original instanceof Uint8Array
    ? { base64: Buffer.from(original).toString("base64") }
    : value;
}

async function* pages(
  store: Store,
  databases: PortableDatabases | undefined,
  size: number,
): AsyncGenerator<ExportLine[]> {
  yield* paged(
    (last?: { seq: number }) => store.mailboxRows(last?.seq ?? 0, size),
    (row) => ({ kind: "message", row }),
  );
  yield* paged(
    (last?: { id: string }) =>
      store.deadLetters(size, {
        first: "oldest",
        ...(last === undefined ? {} : { after: last.id }),
      }),
    (letter) => ({ kind: "deadLetter", letter }),
  );
  yield* paged(
    (last?: { seq: number }) => store.answers(last?.seq ?? 0, size),
    ({ seq: _, ...answer }) => ({ kind: "answer", answer }),
  );
  for (let space = await store.nextSpace(""); space !== undefined; ) {
    const name = space;
    yield* paged(
      (last?: { key: string }) => store.records(name, last?.key ?? "", size),
      (entry) => ({ kind: "record", space: name, ...entry }),
    );
    space = await store.nextSpace(name);
  }
  if (databases !== undefined) yield* databasePages(store, databases, size);
}

/** Page after page of one table, each beginning after the last entry of the one before. */
async function* paged<T>(
  read: (last?: T) => Promise<T[]>,
  toLine: (entry: T) => ExportLine,
): AsyncGenerator<ExportLine[]> {
  let page = await read();
  while (page.length > 0) {
    yield page.map(toLine);
    page = await read(page.at(-1));
  }
}
