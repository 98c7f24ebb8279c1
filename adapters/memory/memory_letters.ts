import { assertNever } from "../../src/errors.ts";
import type { DeadLetter, DeadLetterFilter } from "../../src/ports/store.ts";
import type { Change } from "./memory_change.ts";
import { equalBytes } from "./order.ts";

/** Applies a change of the dead letters. */
export function applyLetter(letters: Map<string, DeadLetter>, change: Change<"deadLetter">): void {
  switch (change.kind) {
    case "deadLetter.put":
      letters.set(change.letter.id, change.letter);
      return;
    case "deadLetter.delete":
      letters.delete(change.id);
      return;
    case "deadLetter.redrive":
      return redrive(letters, change);
    case "deadLetter.expire":
      for (const { id, createdAt } of letters.values())
        if (createdAt < change.before) letters.delete(id);
      return;
    case "deadLetter.keep":
      for (const { id } of newestFirst(letters).slice(change.newest)) letters.delete(id);
      return;
    default:
      assertNever(change);
  }
}

function redrive(
  letters: Map<string, DeadLetter>,
  { id, at }: Extract<Change<"deadLetter">, { kind: "deadLetter.redrive" }>,
): void {
  const letter = letters.get(id);
  if (letter === undefined) return;
  const redriveAttempts = letter.redriveAttempts + 1;
  letters.set(id, { ...letter, redriveAttempts, lastRedriveAt: at });
}

/** A map keeps the order of arrival, also of what is replaced. */
export function newestFirst(letters: ReadonlyMap<string, DeadLetter>): DeadLetter[] {
  return [...letters.values()].reverse().sort((a, b) => b.createdAt - a.createdAt);
}

/** Whether a letter is what a query asks for. */
export function matches(
  letter: DeadLetter,
  { category, traceId, from, createdAfter }: DeadLetterFilter,
): boolean {
  return (
    (category === undefined || letter.category === category) &&
    (traceId === undefined || letter.traceId === traceId) &&
    (from === undefined || (letter.from !== null && equalBytes(letter.from, from))) &&
    (createdAfter === undefined || letter.createdAt > createdAfter)
  );
}
