import { ActrError } from "../errors.ts";
import type { ErrorEvent } from "../hooks.ts";
import type { HandlerFailure } from "../inbound/pipeline.ts";
import type { DeadLetter } from "../ports/store.ts";

/** What `onError` is told of a handler that failed. */
export function handlerEvent({ kind, error, message }: HandlerFailure, at: number): ErrorEvent {
  const { routeKey, requestId } = message.envelope;
  return {
    error,
    category: kind === "crash" ? "handler_crash" : "handler_error",
    context: `route=${routeKey}; request_id=${requestId}; caller=${message.from.key}`,
    at,
  };
}

/** What `onError` is told of a dead letter. */
export function deadLetterEvent(letter: DeadLetter): ErrorEvent {
  return {
    error: new ActrError("decode_failure", letter.reason),
    category: "dead_letter",
    context: `dead_letter=${letter.id}; category=${letter.category}`,
    at: letter.createdAt,
  };
}
