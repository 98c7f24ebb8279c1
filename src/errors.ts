import type { ErrorFacts, ErrorKind } from "./error_facts.ts";
import {
  type HostErrorCode,
  hostErrorFacts,
  type UserErrorCode,
  userErrorFacts,
} from "./host_errors.ts";

export type { ErrorKind };

/** The closed set of error codes: those of the wire first, then local ones, which travel as their nearest relative. */
export const errorCodes = [
  "unavailable",
  "timed_out",
  "not_found",
  "permission_denied",
  "invalid_argument",
  "unknown_route",
  "dependency_not_found",
  "decode_failure",
  "not_implemented",
  "internal",
  "connection_not_ready",
  "overloaded",
  "stopping",
  "config",
  "registration",
  "storage",
  "lease_lost",
] as const;

/** A code of nodes, one of {@link errorCodes}. */
export type NodeErrorCode = (typeof errorCodes)[number];

/** What went wrong: a code of nodes, of the actor host, or of an actor's own. */
export type ErrorCode = NodeErrorCode | HostErrorCode | UserErrorCode;

const nodeErrorFacts: Readonly<Record<NodeErrorCode, ErrorFacts>> = {
  unavailable: { kind: "transient", wire: 10001, prefix: "unavailable: " },
  timed_out: { kind: "transient", wire: 10002, prefix: "timed out" },
  not_found: { kind: "client", wire: 10003, prefix: "not found: " },
  permission_denied: { kind: "client", wire: 10004, prefix: "permission denied: " },
  invalid_argument: { kind: "client", wire: 10005, prefix: "invalid argument: " },
  unknown_route: { kind: "client", wire: 10006, prefix: "unknown route: " },
  dependency_not_found: { kind: "client", wire: 10007, prefix: "dependency " },
  decode_failure: { kind: "corrupt", wire: 10008, prefix: "decode failure: " },
  not_implemented: { kind: "internal", wire: 10009, prefix: "not implemented: " },
  internal: { kind: "internal", wire: 10010, prefix: "internal error: " },
  connection_not_ready: { kind: "transient", wire: 10011, prefix: "connection not ready: " },
  overloaded: { kind: "transient", wire: 10001, prefix: "unavailable: overloaded: " },
  stopping: { kind: "transient", wire: 10001, prefix: "unavailable: stopping: " },
  config: { kind: "client", wire: 10010, prefix: "configuration: " },
  registration: { kind: "client", wire: 10010, prefix: "registration: " },
  storage: { kind: "internal", wire: 10001, prefix: "unavailable: storage: " },
  lease_lost: { kind: "internal", wire: 10001, prefix: "unavailable: lease lost: " },
};

const facts = new Map<string, ErrorFacts>([
  ...Object.entries(nodeErrorFacts),
  ...Object.entries(hostErrorFacts),
]);

/** Recognises errors of another copy of this module. */
const brand = Symbol.for("roost.ActrError");

/** Structured facts about an error; values must survive JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What an error may carry beside its message. */
export interface ActrErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
  /** When trying again may help, milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Whether the message may be shown to a remote caller. @default true except for kind `internal` */
  readonly public?: boolean;
}

/** The one error that Roost throws for everything but misuse of its API (`TypeError`, `RangeError`). */
export class ActrError extends Error {
  override readonly name = "ActrError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterMs: number | undefined;
  readonly public: boolean;

  constructor(code: ErrorCode, message: string, options: ActrErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
    this.public = options.public ?? errorFacts(code).kind !== "internal";
  }

  get kind(): ErrorKind {
    return errorFacts(this.code).kind;
  }

  /** Whether the same request, under the same request id, may succeed later. */
  get retryable(): boolean {
    return this.kind === "transient";
  }

  /** The text that other Actr peers show for this error (`spec/protocol.md` §11.1). */
  get display(): string {
    switch (this.code) {
      case "timed_out":
        return nodeErrorFacts.timed_out.prefix;
      case "connection_not_ready":
        return `${nodeErrorFacts.connection_not_ready.prefix}${retryHint(this.retryAfterMs)}`;
      case "dependency_not_found":
        return `dependency '${String(this.details?.["service"] ?? "")}' not found: ${this.message}`;
      default:
        return `${errorFacts(this.code).prefix}${this.message}${this.retryAfterMs === undefined ? "" : `; ${retryHint(this.retryAfterMs)}`}`;
    }
  }

  /** RpcEnvelope error code of this error. */
  get wireCode(): number {
    return errorFacts(this.code).wire;
  }

  /** Whether `value` is an ActrError, also one of another copy of this module. */
  static is(value: unknown): value is ActrError {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** Any thrown value as an ActrError; what is not one already becomes `fallback`, with the value as cause. */
  static from(value: unknown, fallback: ErrorCode = "internal"): ActrError {
    if (ActrError.is(value)) return value;
    const text = value instanceof Error ? value.message : String(value);
    return new ActrError(fallback, text, { cause: value });
  }
}

/** The hint as it stands in the text of a wire error. */
function retryHint(ms: number | undefined): string {
  return ms === undefined
    ? "retry_after_ms=None"
    : `retry_after_ms=Some(${Math.max(0, Math.ceil(ms))})`;
}

/** What a code means; also for the wire mapping in `protocol/wire_error.ts`. */
export function errorFacts(code: ErrorCode): ErrorFacts {
  return facts.get(code) ?? userErrorFacts;
}

/** Ends an exhaustive switch: compiling proves that no case is missing. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value ${String(value)}`);
}
