import { ActrError } from "../errors.ts";

/** What is wrong with a text form; stands in `details.kind` of the error (`spec/protocol.md` §3.1). */
export type InvalidKind =
  | "InvalidFormat"
  | "InvalidComponent"
  | "InvalidTypeFormat"
  | "InvalidScheme"
  | "MissingAuthority"
  | "MissingVersion"
  | "InvalidRealmId"
  | "InvalidAuthorityFormat";

const longestShown = 100;

/** `invalid_argument` for a text that does not parse: what it should be, and the text. */
export function invalid(
  kind: InvalidKind,
  expected: string,
  text: string,
  details: Readonly<Record<string, unknown>> = {},
): ActrError {
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
  return new ActrError("invalid_argument", `${expected}, got ${JSON.stringify(shown)}`, {
    details: { kind, ...details },
  });
}
