import { ActrError } from "../errors.ts";
import { maxRedriveBatch } from "../inbound/redriver.ts";

/** Letters by id, at most {@link maxRedriveBatch}. */
export interface ById {
  readonly ids: readonly string[];
}

/** Letters by what they are, oldest first; all that is given must hold. */
export interface ByKind {
  /** Says that every letter is meant, where neither category nor time narrows it down. */
  readonly all?: true;
  readonly category?: string;
  /** Made before this, Unix milliseconds. @default now, so that what fails again meanwhile is not met again */
  readonly before?: number;
  /** Goes on behind this letter. */
  readonly after?: string;
}

/** Which dead letters an operation is about. */
export type Selection = ById | ByKind;

/** Longest id or category, UTF-16 units. */
const maxTextLength = 128;

/** A selection from JSON. @throws ActrError `invalid_argument` naming what is wrong with it. */
export function readSelection(value: unknown): Selection {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(`a selection is an object such as {"ids":["…"]}, {"category":"…"} or {"all":true}`);
  }
  const { ids, all, category, before, after, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw wrong(`${unknown} is unknown; use ids, or category, before, all and after`);
  }
  const narrowed = [all, category, before].filter((each) => each !== undefined);
  if (ids !== undefined) {
    if (narrowed.length > 0 || after !== undefined) throw wrong("ids stand alone");
    return { ids: readIds(ids) };
  }
  if (narrowed.length === 0) throw wrong("nothing is selected; name ids, category, before or all");
  if (all !== undefined && all !== true) throw wrong(`all is ${String(all)}; it can be true`);
  return {
    ...(all === undefined ? {} : { all }),
    ...(category === undefined ? {} : { category: readText("category", category) }),
    ...(before === undefined ? {} : { before: readTime(before) }),
    ...(after === undefined ? {} : { after: readText("after", after) }),
  };
}

function readIds(value: unknown): string[] {
  const allowed = `ids are 1 to ${maxRedriveBatch} texts`;
  if (!Array.isArray(value)) throw wrong(allowed);
  if (value.length === 0 || value.length > maxRedriveBatch) {
    throw wrong(`there are ${value.length} ids; ${allowed}`);
  }
  return value.map((id) => readText("id", id));
}

function readText(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= maxTextLength) return value;
  throw wrong(`${name} must be a text of 1 to ${maxTextLength} characters`);
}

function readTime(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(`before is ${String(value)}; it is a time in Unix milliseconds`);
}

function wrong(message: string): ActrError {
  return new ActrError("invalid_argument", message);
}
