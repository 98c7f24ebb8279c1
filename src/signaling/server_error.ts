import { ActrError, type ErrorCode } from "../errors.ts";

/** Longest text of a server that is kept in an error. */
const longestText = 200;

/** An ErrorResponse of the signaling server as an error: 403 `permission_denied`, 404 `not_found`, all else `unavailable`; details `code`. */
export function serverError(
  what: string,
  { code, message }: { readonly code: number; readonly message: string },
): ActrError {
  const text = message.slice(0, longestText);
  return new ActrError(errorCode(code), `signaling refused ${what}: ${text} (${code})`, {
    details: { code },
  });
}

function errorCode(code: number): ErrorCode {
  if (code === 403) return "permission_denied";
  return code === 404 ? "not_found" : "unavailable";
}
