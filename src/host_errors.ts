import type { ErrorFacts } from "./error_facts.ts";

const unavailable = { kind: "transient", wire: 10001, prefix: "unavailable: " } as const;
const timedOut = { kind: "transient", wire: 10002, prefix: "timed out" } as const;
const notFound = { kind: "client", wire: 10003, prefix: "not found: " } as const;
const denied = { kind: "client", wire: 10004, prefix: "permission denied: " } as const;
const invalid = { kind: "client", wire: 10005, prefix: "invalid argument: " } as const;
const internal = { kind: "internal", wire: 10010, prefix: "internal error: " } as const;

/** Codes of the actor host, `group.code` as clients of actors see them (`spec/actor-host.md` §18.1). */
export const hostErrorFacts = {
  "actor.starting": unavailable,
  "actor.not_ready": unavailable,
  "actor.stopping": unavailable,
  "actor.destroying": unavailable,
  "actor.restarting": unavailable,
  "actor.overloaded": unavailable,
  "actor.dropped_reply": unavailable,
  "actor.aborted": invalid,
  "actor.action_timed_out": timedOut,
  "actor.callback_timed_out": timedOut,
  "actor.shutdown_timeout": internal,
  "actor.panicked": internal,
  "actor.not_found": notFound,
  "actor.not_registered": notFound,
  "actor.action_not_found": notFound,
  "actor.duplicate_key": invalid,
  "actor.not_configured": invalid,
  "actor.missing_input": invalid,
  "actor.invalid_operation": invalid,
  "actor.invalid_request": invalid,
  "actor.method_not_allowed": invalid,
  "actor.deadlock": invalid,
  "actor.workflow_in_flight": invalid,
  "actor.state_mutation_reentrant": invalid,
  "actor.unsupported_value": invalid,
  "actor.unsupported_websocket_encoding": invalid,
  "actor.hibernation_persist_failed": internal,
  "auth.forbidden": denied,
  "connection.not_configured": invalid,
  "connection.not_found": notFound,
  "connection.not_hibernatable": invalid,
  "connection.restore_not_found": notFound,
  "connection.disconnect_failed": internal,
  "connection.slow_reader": unavailable,
  "inspector.unauthorized": denied,
  "message.incoming_too_long": invalid,
  "message.outgoing_too_long": invalid,
  "message.invalid_utf8": invalid,
  "protocol.invalid_http_request": invalid,
  "protocol.invalid_http_response": internal,
  "protocol.invalid_actor_connect_request": invalid,
  "protocol.invalid_persisted_data": internal,
  "protocol.unsupported_encoding": invalid,
  "queue.full": unavailable,
  "queue.not_found": notFound,
  "queue.message_too_large": invalid,
  "queue.message_invalid": invalid,
  "queue.invalid_payload": invalid,
  "queue.invalid_completion_payload": invalid,
  "queue.already_completed": invalid,
  "queue.previous_message_not_completed": invalid,
  "queue.complete_not_configured": invalid,
  "queue.timed_out": timedOut,
  "schedule.not_found": notFound,
  "schedule.invalid": invalid,
  "schedule.full": unavailable,
  "schedule.interrupted": unavailable,
  "sqlite.closed": unavailable,
  "sqlite.not_configured": invalid,
  "sqlite.invalid_bind_parameter": invalid,
  "sqlite.statement_failed": invalid,
} as const satisfies Readonly<Record<string, ErrorFacts>>;

/** One of the actor host's own codes. */
export type HostErrorCode = keyof typeof hostErrorFacts;

/** A code that an actor's own actions throw, for their clients to tell cases apart. */
export type UserErrorCode = `user.${string}`;

/** Facts of every code of an actor's own. */
export const userErrorFacts: ErrorFacts = invalid;
