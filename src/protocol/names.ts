import { invalid } from "./invalid.ts";
import { utf8Length } from "./utf8.ts";

/** The kinds of names (`spec/protocol.md` §3.2): `name` is a manufacturer's or an actor's. */
export type NameKind = "name" | "package" | "service" | "method";

/** What is wrong with a name. */
export type NameFault =
  | "Empty"
  | "TooLong"
  | "InvalidStartChar"
  | "InvalidEndChar"
  | "InvalidChar"
  | "EmptySegment"
  | "InvalidSegmentStartChar";

interface Rule {
  /** Bytes of UTF-8. */
  readonly max: number;
  readonly first: RegExp;
  readonly all: RegExp;
  readonly last: RegExp;
}

const alphanumericEnd = /[\p{Alphabetic}\p{N}]$/u;
const words = /^[\p{Alphabetic}\p{N}_]+$/u;

const rules: Readonly<Record<NameKind, Rule>> = {
  name: {
    max: 32,
    first: /^\p{Alphabetic}/u,
    all: /^[\p{Alphabetic}\p{N}._-]+$/u,
    last: alphanumericEnd,
  },
  // Other characters than digits and dots are no matter of position here: they are allowed nowhere.
  package: { max: 256, first: /^[^0-9.]/, all: /^[a-z0-9_.]+$/, last: /[^.]$/ },
  service: { max: 64, first: /^[A-Z]/, all: words, last: alphanumericEnd },
  method: { max: 64, first: /^[a-z]/, all: words, last: alphanumericEnd },
};

/** What is wrong with `text` as a name of that kind; undefined when nothing is. */
export function nameFault(kind: NameKind, text: string): NameFault | undefined {
  const { max, first, all, last } = rules[kind];
  if (text === "") return "Empty";
  if (text.length > max || utf8Length(text) > max) return "TooLong";
  if (!first.test(text)) return "InvalidStartChar";
  if (!all.test(text)) return "InvalidChar";
  if (!last.test(text)) return "InvalidEndChar";
  return kind === "package" ? segmentFault(text) : undefined;
}

function segmentFault(text: string): NameFault | undefined {
  for (const segment of text.split(".")) {
    if (segment === "") return "EmptySegment";
    if (/^[0-9]/.test(segment)) return "InvalidSegmentStartChar";
  }
  return undefined;
}

/** Refuses a bad name. @throws ActrError `invalid_argument` with details `{kind: "InvalidComponent", reason, name}`. */
export function requireName(kind: NameKind, text: string): void {
  const reason = nameFault(kind, text);
  if (reason === undefined) return;
  const what = kind === "name" ? "name" : `${kind} name`;
  throw invalid("InvalidComponent", `${reason}: expected a valid ${what}`, text, { reason });
}
