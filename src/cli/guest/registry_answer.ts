import { ActrError, type NodeErrorCode } from "../../errors.ts";
import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import { formatActrType } from "../../protocol/ids.ts";
import { oneLine } from "../failure.ts";

/** What a registry said to one request. */
export interface RegistryAnswer {
  readonly url: string;
  /** HTTP status. */
  readonly status: number;
  /** Of its JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What an operator, or the manufacturer, does about a refusal. */
function mendOf(status: number, { manifest }: VerifiedPackage): string {
  const { manufacturer, name, version, signingKeyId, binary } = manifest;
  const type = formatActrType({ manufacturer, name, version });
  switch (status) {
    case 404:
      return `have the key ${signingKeyId} added there for ${manufacturer}: roost rendezvous --manufacturer`;
    case 409:
      return `${type} for ${binary.target} was published before, and is for ever, even when it is revoked; raise the version`;
    case 413:
      return "leave out what is not needed of manifest and protos";
    case 401:
    case 403:
      return `sign with a key of ${manufacturer} that counts there`;
    default:
      return "see the log of the server";
  }
}

const codes: Readonly<Record<number, NodeErrorCode>> = {
  400: "invalid_argument",
  401: "permission_denied",
  403: "permission_denied",
  404: "not_found",
  409: "invalid_argument",
  413: "invalid_argument",
};

/** The answer to a request about a package, if it is yes. @throws ActrError, details `status`, with what the server said and what helps. */
export function requireOk(
  { url, status, fields }: RegistryAnswer,
  verified: VerifiedPackage,
): RegistryAnswer {
  if (status === 200) return { url, status, fields };
  const said =
    typeof fields["error"] === "string" ? `: ${oneLine(fields["error"]).slice(0, 200)}` : "";
  const message = `${url} answered ${status}${said}; ${mendOf(status, verified)}`;
  throw new ActrError(codes[status] ?? "unavailable", message, { details: { status } });
}

/** A text of an answer. @throws ActrError `unavailable` where it is none. */
export function textOf({ url, fields }: RegistryAnswer, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw strange(url);
}

/** The error of an answer that cannot be read. */
export function strange(url: string): ActrError {
  return new ActrError("unavailable", `${url} gives an answer that no registry gives`);
}
