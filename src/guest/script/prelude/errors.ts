import type { ActrError } from "../author.ts";
import { stringify } from "./json.ts";

/** A `GuestError` in a text. */
export interface ErrorText {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly service?: string;
}

/** Longest message that is passed on, UTF-16 units. */
const longest = 16_384;
const tags: ReadonlySet<string> = new Set([
  "unavailable",
  "connection-not-ready",
  "timed-out",
  "not-found",
  "permission-denied",
  "invalid-argument",
  "unknown-route",
  "dependency-not-found",
  "decode-failure",
  "not-implemented",
  "internal",
]);

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function valueIn({ code, message, retryAfterMs, service }: ErrorText): ActrError["val"] {
  switch (code) {
    case "timed_out":
      return undefined;
    case "connection_not_ready":
      return { retryAfterMs: retryAfterMs === undefined ? undefined : BigInt(retryAfterMs) };
    case "dependency_not_found":
      return { serviceName: service ?? "", message };
    default:
      return message;
  }
}

/** The node's error as the guest gets it thrown. */
export function errorOf(error: ErrorText): Error & ActrError {
  const tag = error.code.replaceAll("_", "-");
  const thrown = new Error(error.message === "" ? tag : `${tag}: ${error.message}`);
  return Object.assign(thrown, { tag, val: valueIn(error) }) as unknown as Error & ActrError;
}

function ofCase(tag: string, val: unknown): ErrorText {
  const code = tag.replaceAll("-", "_");
  if (tag === "timed-out") return { code, message: "" };
  if (tag === "connection-not-ready") {
    const after = (val as { readonly retryAfterMs?: unknown } | undefined)?.retryAfterMs;
    return { code, message: "", ...(after !== undefined && { retryAfterMs: Number(after) }) };
  }
  if (tag !== "dependency-not-found") return { code, message: text(val) };
  const { serviceName, message } = (val ?? {}) as Record<string, unknown>;
  return { code, message: text(message), service: text(serviceName) };
}

function ofThrown(thrown: unknown): ErrorText {
  if (typeof thrown !== "object" || thrown === null) {
    return { code: "internal", message: text(`${String(thrown)} was thrown`) };
  }
  const { tag, val, name, message } = thrown as Record<string, unknown>;
  if (typeof tag === "string" && tags.has(tag)) return ofCase(tag, val);
  const said =
    typeof message === "string" ? `${text(name)}: ${message}` : "an object that is no error";
  return { code: "internal", message: text(said) };
}

/** What the guest threw, as a text; whatever it threw. */
export function errorText(thrown: unknown): string {
  try {
    return stringify(ofThrown(thrown));
  } catch {
    return '{"code":"internal","message":"the guest threw a value that cannot be read"}';
  }
}

/** What the guest threw, for the log. */
export function describe(thrown: unknown): string {
  try {
    const stack = (thrown as { readonly stack?: unknown } | undefined)?.stack;
    return `${ofThrown(thrown).message}\n${text(stack)}`.trim();
  } catch {
    return "a value that cannot be read";
  }
}
