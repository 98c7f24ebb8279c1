import { assertNever } from "../../src/errors.ts";
import type { StoredAnswer } from "../../src/ports/store.ts";
import type { Change } from "./memory_change.ts";

/** Applies a change of the answers, which are held by seq, ascending. */
export function applyAnswer(answers: Map<number, StoredAnswer>, change: Change<"answer">): void {
  switch (change.kind) {
    case "answer.put":
      answers.set(change.answer.seq, change.answer);
      return;
    case "answer.delete":
      answers.delete(change.seq);
      return;
    case "answer.forget":
      return forget(answers, change.through);
    default:
      assertNever(change);
  }
}

function forget(answers: Map<number, StoredAnswer>, through: number): void {
  for (const seq of answers.keys()) {
    if (seq > through) return;
    answers.delete(seq);
  }
}
