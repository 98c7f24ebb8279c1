import { ActrError } from "../src/errors.ts";

/** Why a server answered an upgrade with `status`: `permission_denied` for 401 and 403, else `unavailable`. */
export function upgradeRefused(url: string, status: number): ActrError {
  const code = status === 401 || status === 403 ? "permission_denied" : "unavailable";
  const message = `${withoutQuery(url)} answered the upgrade with ${status}`;
  return new ActrError(code, message, { details: { status } });
}

/** Why no connection came about: `unavailable`. */
export function unreachable(url: string, reason: string, cause?: unknown): ActrError {
  return new ActrError("unavailable", `cannot connect to ${withoutQuery(url)}: ${reason}`, {
    cause,
  });
}

/** Why a connection is of no use on which the server selected `protocol`: it is none of those `offered`. Undefined when it serves. */
export function subprotocolRefused(
  url: string,
  offered: readonly string[],
  protocol: string,
): ActrError | undefined {
  if (offered.length === 0 || offered.includes(protocol)) return undefined;
  return unreachable(url, "the server selected none of the subprotocols offered");
}

/** Why a server could not bind: `config`. */
export function cannotListen(hostname: string, port: number, cause: unknown): ActrError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `cannot listen on ${hostname}:${port} (${reason}); choose another address or port, 0 for a free one`;
  return new ActrError("config", message, { cause });
}

/** The query may hold a credential, and errors are printed. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, "");
}
