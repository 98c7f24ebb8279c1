import { assertNever } from "../../src/errors.ts";
import type { AnswerUse, StoredAnswer } from "../../src/ports/store.ts";
import type { Change } from "./memory_change.ts";
import { answerKey, byAnswerKey } from "./order.ts";

/** Applies a change of the answers. */
export function applyAnswer(answers: Map<string, StoredAnswer>, change: Change<"answer">): void {
  switch (change.kind) {
    case "answer.put":
      answers.set(answerKey(change.answer.caller, change.answer.requestId), change.answer);
      return;
    case "answer.expire":
      for (const [key, answer] of answers)
        if (answer.expiresAt < change.before) answers.delete(key);
      return;
    case "answer.keep":
      return keepAnswers(answers, change);
    default:
      assertNever(change);
  }
}

/** Those that expire last stay, as far as both limits reach. */
function keepAnswers(answers: Map<string, StoredAnswer>, limit: AnswerUse): void {
  let bytes = 0;
  const latest = [...answers].sort(
    ([, a], [, b]) => b.expiresAt - a.expiresAt || byAnswerKey(a, b),
  );
  for (const [place, [key, { response }]] of latest.entries()) {
    bytes += response.length;
    if (place >= limit.entries || bytes > limit.bytes) answers.delete(key);
  }
}
