import { ActrError } from "../errors.ts";
import type { ErrorEvent } from "../hooks.ts";
import type { HandlerFailure } from "../inbound/dispatcher.ts";
import type { DeadLetter } from "../ports/store.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { StreamFailure } from "../streams/stream_tally.ts";

/** What `onError` is told of a handler that failed. */
export function handlerEvent({ kind, error, message }: HandlerFailure, at: number): ErrorEvent {
  const { routeKey, requestId } = message.envelope;
  return {
    error,
    category: kind === "crash" ? "handler_crash" : "handler_error",
    ...factsOf({ route_key: routeKey, request_id: requestId, caller: message.from.key }),
    at,
  };
}

/** What `onError` is told of a stream's handler that failed. */
export function streamEvent({ streamId, error }: StreamFailure, at: number): ErrorEvent {
  return {
    error: ActrError.from(error),
    category: ActrError.is(error) ? "handler_error" : "handler_crash",
    ...factsOf({ stream_id: streamId }),
    at,
  };
}

/** What `onError` is told of a dead letter. */
export function deadLetterEvent(letter: DeadLetter): ErrorEvent {
  return {
    error: new ActrError("decode_failure", letter.reason),
    category: "dead_letter",
    ...factsOf({ dead_letter: letter.id, category: letter.category }),
    at: letter.createdAt,
  };
}

/** What `onError` is told of a signaling connection that ended or could not be opened. */
export function signalingEvent(error: ActrError, at: number): ErrorEvent {
  return {
    error,
    category: "signaling_failure",
    ...factsOf({ reason: error.message }),
    at,
  };
}

/** A link that was lost, or a dial that failed. */
export interface LinkFailure {
  readonly peer: ActrId;
  readonly transport: string;
  /** Whether the link existed. */
  readonly stage: "dial" | "link";
  readonly reason: string;
}

/** What `onError` is told of a link that was lost, or a dial that failed. */
export function transportEvent(
  { peer, transport, stage, reason }: LinkFailure,
  at: number,
): ErrorEvent {
  const what = stage === "dial" ? "could not be opened" : "was lost";
  return {
    error: new ActrError("unavailable", `a ${transport} link ${what}: ${reason}`),
    category: "transport_failure",
    ...factsOf({ peer: formatActrId(peer), transport, stage, reason }),
    at,
  };
}

/** A chunk that was handed to a session which then broke: nobody knows whether it arrived. */
export interface UncertainDelivery {
  readonly streamId: string;
  readonly sessionId: string;
  /** Such as `connection closed`. */
  readonly reason: string;
}

/** What `onError` is told of an uncertain delivery; one event per peer, stream and session (`spec/node.md` §11.2). */
export function uncertainDeliveryEvent(
  { streamId, sessionId, reason }: UncertainDelivery,
  at: number,
): ErrorEvent {
  return {
    error: new ActrError("unavailable", `stream ${streamId} broke off: ${reason}`),
    category: "delivery_uncertain",
    ...factsOf({ stream_id: streamId, session_id: sessionId, reason }),
    at,
  };
}

/** Facts, each by its name and all as one text. */
function factsOf(facts: ErrorEvent["facts"]): Pick<ErrorEvent, "facts" | "context"> {
  const pairs = Object.entries(facts).map(([key, value]) => `${key}=${value}`);
  return { facts, context: pairs.join("; ") };
}
