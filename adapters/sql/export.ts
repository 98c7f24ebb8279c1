import type { Store } from "../../src/ports/store.ts";
import { type ExportLine, exportVersion } from "./export_lines.ts";

/** Settings of {@link exportStore}. */
export interface ExportOptions {
  /** Called after each page with the lines given out so far. */
  readonly onProgress?: (lines: number) => void;
  /** Rows read at once. @default 256 */
  readonly pageSize?: number;
}

/**
 * Everything in a store as JSON lines, without line ends: a header, then messages, dead letters (oldest first),
 * answers and records. Memory stays within one page. Changes made meanwhile may or may not be included.
 * @throws ActrError `storage`.
 */
export async function* exportStore(
  store: Store,
  { onProgress, pageSize = 256 }: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  let lines = 0;
  for await (const page of pages(store, pageSize)) {
    for (const line of page) yield JSON.stringify(line, encodeBytes);
    lines += page.length;
    onProgress?.(lines);
  }
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

async function* pages(store: Store, size: number): AsyncGenerator<ExportLine[]> {
  yield [{ kind: "roost.store", version: exportVersion }];
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
