import { ActrError, type ErrorCode, errorCodes } from "../errors.ts";
import { readErrorBody } from "../protocol/actors/client_codec.ts";
import type { ErrorBody } from "../protocol/actors/messages.ts";

/** Why a node did not do what it was asked for; `unavailable` where something else answered, such as a proxy. */
export function failureIn(response: Response, bytes: Uint8Array): ActrError {
  const { status, headers, url } = response;
  const body = readError(headers, bytes);
  if (body === undefined) return new ActrError("unavailable", `${url} answers with ${status}`);
  const pauseMs = Number(headers.get("retry-after-ms") ?? Number.NaN);
  return failureOf(body, pauseMs >= 0 ? pauseMs : undefined);
}

/** The error as it was thrown there, as far as it may be known here. */
export function failureOf(
  { group, code, message, metadata }: ErrorBody,
  retryAfterMs?: number,
): ActrError {
  const isRecord = typeof metadata === "object" && metadata !== null;
  return new ActrError(codeOf(group, code), message, {
    ...(isRecord && { details: metadata as Readonly<Record<string, unknown>> }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** The error that a close reason names, `group.code`; `unavailable` for any other. */
export function failureOfClose(code: number, reason: string): ActrError {
  const [, group, name] = /^([a-z_]+)\.([a-z_]+)(?:#.*)?$/.exec(reason) ?? [];
  if (group !== undefined && name !== undefined) {
    return failureOf({ group, code: name, message: `the node ended the connection: ${reason}` });
  }
  return new ActrError("unavailable", `the connection ended: ${code} ${reason}`.trimEnd());
}

function readError(headers: Headers, bytes: Uint8Array): ErrorBody | undefined {
  const isJson = headers.get("content-type")?.startsWith("application/json") === true;
  try {
    if (!isJson) return readErrorBody(bytes);
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isErrorBody(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  const { group, code, message } = Object(body);
  return [group, code, message].every((each) => typeof each === "string");
}

function codeOf(group: string, code: string): ErrorCode {
  if (code === "internal_error") return "internal";
  const ofNodes = group === "user" && (errorCodes as readonly string[]).includes(code);
  return (ofNodes ? code : `${group}.${code}`) as ErrorCode;
}
