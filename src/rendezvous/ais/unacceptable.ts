import { ActrError } from "../../errors.ts";

/** Why a change that an operator asked for is not made; `reason` is a stable word. */
export function unacceptable(message: string, reason: string): ActrError {
  return new ActrError("invalid_argument", message, { details: { reason } });
}
