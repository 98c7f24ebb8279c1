import { ActrError } from "../../src/errors.ts";

/** Faults of a credential that itself holds, but not for this dialer or realm. */
const forbidden: readonly unknown[] = ["realm", "actor"];

/** The HTTP answer to an upgrade that was not granted: 401 or 403 for good, 503 to be tried again. The text says no more than the code. */
export function upgradeRefusal(error: unknown): Response {
  const { code, details, retryAfterMs = 1_000 } = ActrError.from(error);
  if (code === "permission_denied") {
    return forbidden.includes(details?.["reason"])
      ? new Response("forbidden", { status: 403 })
      : new Response("unauthorized", { status: 401 });
  }
  const headers = { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  return new Response("unavailable", { status: 503, headers });
}
