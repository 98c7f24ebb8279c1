import { ActrError } from "../errors.ts";

/** An error as it is, but for a registration that a realm refused: that names the flags that choose and open one. */
export function withRealmFlags(error: unknown): unknown {
  if (!ActrError.is(error) || error.code !== "registration") return error;
  const { code, message, details } = error;
  if (details?.["code"] !== 403 || !/\brealm\b/i.test(message)) return error;
  const mend = "choose another with --realm N, open it with ROOST_REALM_SECRET";
  return new ActrError(code, `${message}; ${mend}`, { cause: error, details });
}
