import {
  type Inspector,
  type LetterDetails,
  type LetterPage,
  type LetterView,
  maxLettersListed,
} from "../../inspector/inspector.ts";
import type { Input, World } from "../command.ts";
import { countOf } from "../counts.ts";
import { oneLine } from "../failure.ts";
import { Misuse } from "../misuse.ts";

/** Does something with a node's dead letters; resolves with the exit code. */
export type DlqWork = (inspector: Inspector) => Promise<number>;

/** One thing that `roost dlq` can do. */
export interface DlqAction {
  /** Options that it takes, of those that choose letters. */
  readonly options: readonly string[];
  /** Most ids. */
  readonly most: number;
  /** Reads the command line, before anything is opened. @throws Misuse. */
  readonly plan: (ids: readonly string[], input: Input, world: World) => DlqWork;
}

/** `roost dlq ls`: newest first. */
export function listLetters(_ids: readonly string[], input: Input, world: World): DlqWork {
  const limit = countOf(input, "limit", 20);
  const category = input.value("category");
  const from = input.value("from");
  const filter = { ...(category && { category }), ...(from && { from }) };
  return async (inspector) => {
    let left = limit;
    let page: LetterPage | undefined;
    do {
      const after = page?.next;
      const query = { ...filter, ...(after && { after }), limit: Math.min(left, maxLettersListed) };
      page = await inspector.deadLetters(query);
      for (const letter of page.letters)
        world.out(input.has("json") ? JSON.stringify(letter) : lineOf(letter));
      left -= page.letters.length;
    } while (page.next !== null && left > 0);
    if (!input.has("json")) world.out(totals(page));
    return 0;
  };
}

/** `roost dlq show ID`: everything, the raw bytes in base64. */
export function showLetter(ids: readonly string[], input: Input, world: World): DlqWork {
  const [id] = ids;
  if (id === undefined) throw new Misuse("an id is missing: roost dlq show ID");
  return async (inspector) => {
    const letter = await inspector.deadLetter(id);
    if (input.has("json")) world.out(JSON.stringify(letter));
    else for (const line of detailLines(letter)) world.out(line);
    return 0;
  };
}

function lineOf({ id, createdAt, category, routeKey, from, reason }: LetterView): string {
  const origin = `${routeKey ?? "?"} from ${from ?? "?"}`;
  return `${id}  ${new Date(createdAt).toISOString()}  ${category}  ${origin}  ${oneLine(reason)}`;
}

function totals({ stats: { total, byCategory } }: LetterPage): string {
  const parts = Object.entries(byCategory).map(([category, count]) => `${category} ${count}`);
  return parts.length === 0 ? "no dead letters" : `${total} in all: ${parts.join(", ")}`;
}

function detailLines(letter: LetterDetails): string[] {
  const { createdAt, lastRedriveAt, ...rest } = letter;
  const times = {
    createdAt: new Date(createdAt).toISOString(),
    lastRedriveAt: lastRedriveAt === null ? null : new Date(lastRedriveAt).toISOString(),
  };
  return Object.entries({ ...rest, ...times }).map(
    ([name, value]) =>
      `  ${name.padEnd(15)}  ${oneLine(typeof value === "string" ? value : JSON.stringify(value))}`,
  );
}
