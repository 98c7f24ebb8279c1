import { ActrError } from "../errors.ts";
import { Misuse } from "./misuse.ts";

/** How a failure is shown. */
export interface FailureOptions {
  /** As one JSON object. */
  readonly json: boolean;
  /** With stack and causes. */
  readonly verbose: boolean;
}

/** What the user reads about an error: one line, more only when asked for. */
export function failureLines(error: unknown, { json, verbose }: FailureOptions): string[] {
  const code = codeOf(error);
  const message = oneLine(error instanceof Error ? error.message : String(error));
  const first = json
    ? JSON.stringify({ error: { code, message } })
    : `roost: ${code === "misuse" || message.startsWith(code) ? "" : `${code}: `}${message}`;
  return verbose && error instanceof Error ? [first, ...stackOf(error)] : [first];
}

function codeOf(error: unknown): string {
  if (error instanceof Misuse) return "misuse";
  return ActrError.is(error) ? error.code : "internal";
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const colours = /\u001b\[[0-9;]*m/g;

/** A text, which may be a stranger's, on one line and without what would colour or steer the terminal. */
export function oneLine(text: string): string {
  return text.replace(colours, "").replace(/\s*\n\s*|\p{Cc}+/gu, " ");
}

function stackOf(error: Error): string[] {
  const own = (error.stack ?? String(error)).split("\n").map(oneLine);
  return error.cause instanceof Error ? [...own, "caused by:", ...stackOf(error.cause)] : own;
}
