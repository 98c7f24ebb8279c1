import { ActrError } from "../../errors.ts";
import type { GuestEntry } from "../../ports/guest_host.ts";
import { faultOf, guestFault } from "../fault.ts";

/** What the caller of the entry that ended an instance is told: the text may come from the guest, so it stays in the log. */
export function toCallerError(name: GuestEntry["name"], error: unknown): ActrError {
  const fault = faultOf(error) ?? "trapped";
  if (fault === "timed_out" && ActrError.is(error)) return error;
  if (fault === "discarded") return endedByAnother();
  return new ActrError("internal", `the guest failed in ${name} (${fault}) and is built anew`, {
    public: true,
    details: { fault },
    cause: error,
  });
}

/** What the others are told that were in flight with it. */
export function endedByAnother(): ActrError {
  return guestFault("discarded", "the guest failed meanwhile and is built anew; come again");
}

/** What those are told who waited for an instance that could not be made. */
export function toWaitingError(error: unknown): ActrError {
  if (ActrError.is(error) && error.code === "overloaded") return error;
  return new ActrError("unavailable", "the guest could not be built anew; come again later", {
    cause: error,
  });
}

/** What everybody is told while a guest that fails too often is held back. */
export function isRefusing(retryAfterMs: number): ActrError {
  return new ActrError("unavailable", "the guest fails too often and is not built anew now", {
    retryAfterMs: Math.ceil(retryAfterMs),
  });
}

/** What everybody is told from the stop on. */
export function isStopping(): ActrError {
  return new ActrError("stopping", "the guest is stopped");
}

/** What everybody is told before the guest is there. */
export function isUnloaded(): ActrError {
  return new ActrError("unavailable", "the guest is not loaded yet");
}
