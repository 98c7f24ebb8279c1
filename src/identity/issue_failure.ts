import { ActrError } from "../errors.ts";

/** Why the identity service did not issue a credential; decides what the keeper does next (`spec/protocol.md` §6.4). */
export type IssueFailure =
  | "InvalidRequest"
  | "TokenRejected"
  | "RealmUnavailable"
  | "RateLimited"
  | "Retryable"
  | "Protocol";

const byStatus: Readonly<Record<number, IssueFailure>> = {
  400: "InvalidRequest",
  401: "TokenRejected",
  403: "RealmUnavailable",
  429: "RateLimited",
  500: "Retryable",
  502: "Retryable",
  503: "Retryable",
  504: "Retryable",
};

/** Classifies an HTTP status, or the code of an error in a 2xx answer. */
export function classifyFailure(status: number): IssueFailure {
  return byStatus[status] ?? "Protocol";
}

/** Seconds of a Retry-After header; whole numbers only, dates count as absent. */
export function retryAfterSeconds(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header.trim()) ? Number(header) : undefined;
}

/** What is known of a failed exchange beyond its class. */
export interface IssueFacts {
  /** HTTP status. */
  readonly status?: number;
  /** Code of an ErrorResponse. */
  readonly code?: number;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** ActrError `registration` with details `failure` ({@link IssueFailure}), `status` and `code`. */
export function issueError(
  what: string,
  failure: IssueFailure,
  message: string,
  { status, code, retryAfterMs, cause }: IssueFacts = {},
): ActrError {
  return new ActrError("registration", `${what}: ${message}`, {
    details: {
      failure,
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
    },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause }),
  });
}
