import type { GuestError, HostAnswer } from "../../ports/guest_host.ts";
import { guestErrorCodes } from "../guest_error.ts";
import { idText } from "./entry_text.ts";

const codes: ReadonlySet<unknown> = new Set(guestErrorCodes);

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The error that a guest threw, of the text that it gave; whatever it gave. */
export function parseError(given: string): GuestError {
  const { code, message, retryAfterMs, service } = JSON.parse(given) as Record<string, unknown>;
  const error: GuestError = {
    code: codes.has(code) ? (code as GuestError["code"]) : "internal",
    message: text(message),
  };
  if (error.code === "dependency_not_found") return { ...error, service: text(service) };
  if (error.code !== "connection_not_ready" || typeof retryAfterMs !== "number") return error;
  return { ...error, retryAfterMs };
}

/** The error of an answer, if it is one. */
export function errorText(answer: HostAnswer): string | undefined {
  return "error" in answer ? JSON.stringify(answer.error) : undefined;
}

/** What an answer gives the guest: bytes, nothing, or the text of an id. */
export function answerValue(answer: HostAnswer): Uint8Array | string | undefined {
  const ok = "ok" in answer ? answer.ok : undefined;
  return ok === undefined || ok instanceof Uint8Array ? ok : JSON.stringify(idText(ok));
}
