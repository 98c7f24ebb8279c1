import { ActrError } from "../../errors.ts";
import type { ActorSpecifier, ErrorBody } from "../../protocol/actors/messages.ts";
import type { ActorRouteParts } from "./route_parts.ts";

/** HTTP statuses of errors that are none of the server's (`spec/actor-host.md` §18.1). */
const statuses: Readonly<Record<string, number>> = {
  "auth.forbidden": 403,
  "actor.action_not_found": 404,
  "actor.not_found": 404,
  "actor.action_timed_out": 408,
  timed_out: 408,
  "actor.method_not_allowed": 405,
  "actor.workflow_in_flight": 409,
  "workflow.entry_not_found": 404,
  "actor.duplicate_key": 409,
  "actor.overloaded": 429,
  "queue.full": 429,
  "message.incoming_too_long": 413,
  unauthorized: 401,
};

/** Why a request failed; what is hidden from the client stands in the log. */
export function failureOf(error: unknown, { log }: Pick<ActorRouteParts, "log">): ActrError {
  const failure = ActrError.from(error);
  if (isHidden(failure)) {
    log()?.error("actor.request_failed", { error_code: failure.code, error: failure });
  }
  return failure;
}

const hidden = "An internal error occurred";

/** The status that an error is answered with. */
export function statusOf(error: ActrError): number {
  const known = statuses[error.code];
  if (known !== undefined) return known;
  if (error.kind === "transient") return 503;
  return error.kind === "client" ? 400 : 500;
}

/**
 * An error as clients of actors get it: codes of the host keep their group, those that an action threw are the user's.
 * What is not for strangers is hidden.
 */
export function errorBody(error: ActrError, actor?: ActorSpecifier): ErrorBody {
  const specifier = actor === undefined ? {} : { actor };
  if (isHidden(error)) {
    return { group: "actor", code: "internal_error", message: hidden, ...specifier };
  }
  const [group, code] = groupAndCode(error.code);
  const metadata = error.details === undefined ? {} : { metadata: error.details };
  return { group, code, message: error.message, ...metadata, ...specifier };
}

function isHidden(error: ActrError): boolean {
  return !error.public || error.kind === "corrupt";
}

function groupAndCode(code: string): readonly [group: string, code: string] {
  const dot = code.indexOf(".");
  return dot < 0 ? ["user", code] : [code.slice(0, dot), code.slice(dot + 1)];
}
