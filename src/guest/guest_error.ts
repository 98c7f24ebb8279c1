import { ActrError } from "../errors.ts";
import type { GuestError, GuestErrorCode } from "../ports/guest_host.ts";

/** The cases of `actr-error`, by their index (`spec/guest.md` §12). */
export const guestErrorCodes: readonly GuestErrorCode[] = [
  "unavailable",
  "connection_not_ready",
  "timed_out",
  "not_found",
  "permission_denied",
  "invalid_argument",
  "unknown_route",
  "dependency_not_found",
  "decode_failure",
  "not_implemented",
  "internal",
];

const known: ReadonlySet<string> = new Set(guestErrorCodes);

/** Codes that guests have no case for, by the nearest that they have. */
function nearest(error: ActrError): GuestErrorCode {
  if (known.has(error.code)) return error.code as GuestErrorCode;
  switch (error.kind) {
    case "transient":
      return "unavailable";
    case "client":
      return "invalid_argument";
    case "corrupt":
      return "decode_failure";
    case "internal":
      return "internal";
  }
}

const withheld = "the details are in the node's log";

/** An error of the node as a guest is told of it: with its own case, and without what is not for strangers to read. */
export function toGuestError(thrown: unknown): GuestError {
  const error = ActrError.from(thrown);
  const code = nearest(error);
  if (code === "timed_out") return { code, message: "" };
  const message = error.public ? error.message : withheld;
  if (code === "connection_not_ready") {
    const { retryAfterMs } = error;
    return { code, message: "", ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (code !== "dependency_not_found") return { code, message };
  return { code, message, service: String(error.details?.["service"] ?? "") };
}

/** Longest text of a guest's error, UTF-16 units: an answer that is too long to be sent is none. */
const longestText = 16_384;

/** Longest wait that answers can carry, milliseconds. */
const longestDelayMs = 999_999_999_999_999;

/** Whole milliseconds, whatever a guest says. */
function delay(milliseconds: number): number {
  return Math.min(Math.max(Math.ceil(milliseconds), 0), longestDelayMs);
}

/** What a guest threw, as its caller is answered: the case survives (`spec/guest.md` §21 GD-9), and texts are cut. */
export function fromGuestError(error: GuestError): ActrError {
  const { code, message, retryAfterMs, service } = error;
  return new ActrError(code, message.slice(0, longestText), {
    public: true,
    ...(retryAfterMs !== undefined && { retryAfterMs: delay(retryAfterMs) }),
    ...(service !== undefined && { details: { service: service.slice(0, longestText) } }),
  });
}
