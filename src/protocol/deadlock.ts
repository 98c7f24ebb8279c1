import { ActrError } from "../errors.ts";

/** Begins the text of the error, which is all that a caller gets to see. */
const prefix = "deadlock: ";

/** When to call again from outside, milliseconds. */
const retryAfterMs = 50;

/** A call that waits for itself, whenever it is made. */
export function selfWaiting(routeKey: string): ActrError {
  const text = `${prefix}${routeKey} would wait for the handler that waits for it`;
  return new ActrError("invalid_argument", `${text}; make it reentrant, or answer explicitly`);
}

/** A call that would wait for a handler which waits, perhaps, for the caller's own. It may succeed when either has ended. */
export function crossed(routeKey: string, peer: string): ActrError {
  const text = `${prefix}${routeKey} would wait for a handler that waits for ${peer}`;
  return new ActrError("unavailable", text, { retryAfterMs });
}

/** Whether a call was refused so that handlers do not wait for each other: then trying again helps only when those have ended. */
export function isDeadlock(error: ActrError): boolean {
  return error.message.startsWith(prefix);
}
