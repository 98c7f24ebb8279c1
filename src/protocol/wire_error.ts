import { ActrError, type ErrorCode, type ErrorDetails, errorCodes, errorFacts } from "../errors.ts";
import { hostErrorCodes } from "../host_errors.ts";
import type { WireError } from "./envelope.ts";
import { type MetadataEntry, noMetadata } from "./metadata.ts";

/** Codes that travel under their own number, by that number (`spec/protocol.md` §11.1). */
const codesByNumber = new Map<number, ErrorCode>();
// The table lists each wire code before the local ones that travel as it.
for (const code of errorCodes) {
  const { wire } = errorFacts(code);
  if (!codesByNumber.has(wire)) codesByNumber.set(wire, code);
}

/** Numbers that peers up to 0.3.7 used; where two codes shared one, the first of the table is meant. */
const legacyCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [503, "unavailable"],
  [504, "timed_out"],
  [404, "not_found"],
  [403, "permission_denied"],
  [400, "invalid_argument"],
  [501, "not_implemented"],
  [500, "internal"],
]);

const withheld = "the details are in the log of the answering node";

/** The error as it leaves in a response: its number and display text; the message of a non-public one is withheld. */
export function toWireError(error: ActrError): WireError {
  return { code: error.wireCode, message: error.public ? error.display : withoutDetails(error) };
}

function withoutDetails(error: ActrError): string {
  const code = codesByNumber.get(error.wireCode) ?? "internal";
  const { retryAfterMs } = error;
  const hint = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new ActrError(code, withheld, { ...hint, details: {} }).display;
}

/** Key of the metadata entry that carries a code of the actor host, or of an actor, which has no number of its own. */
const codeKey = "roost-error-code";

/** Longest code that is read, UTF-16 units. */
const maxCodeLength = 128;

/** Key of the metadata entry that carries an error's details, as JSON, beside its text; other Actr peers ignore it. */
const detailsKey = "roost-error-details";

/** Longest details that are sent or read, UTF-16 units. */
const maxDetailsLength = 8_192;

/**
 * Metadata that carries the details of an error to a Roost node, next to {@link toWireError}: of errors that are the
 * caller's own fault and for strangers to read. Those of other kinds speak of connections, which are nobody else's.
 */
export function errorMetadata(error: ActrError): readonly MetadataEntry[] {
  const details = detailsMetadata(error);
  if (!error.public || !error.code.includes(".")) return details;
  return [{ key: codeKey, value: error.code }, ...details];
}

function detailsMetadata(error: ActrError): readonly MetadataEntry[] {
  if (error.details === undefined || error.kind !== "client" || !error.public) return noMetadata;
  const value = jsonOf(error.details);
  return value === undefined || value.length > maxDetailsLength
    ? noMetadata
    : [{ key: detailsKey, value }];
}

/** Undefined for what JSON cannot hold: the caller gets code and text, as without details. */
function jsonOf(details: ErrorDetails): string | undefined {
  try {
    return JSON.stringify(details);
  } catch {
    return undefined;
  }
}

/** {@link fromWireError}, with the code and the details that the metadata beside it carry. */
export function fromWireErrorWith(wire: WireError, metadata: readonly MetadataEntry[]): ActrError {
  const error = fromCode(wire, metadata);
  if (error.kind !== "client" || metadata.length === 0) return error;
  const text = metadata.find(({ key }) => key === detailsKey)?.value;
  const details = text === undefined ? undefined : parseDetails(text);
  if (details === undefined) return error;
  const { code, message, retryAfterMs } = error;
  const hint = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new ActrError(code, message, { ...hint, details: { ...error.details, ...details } });
}

/** The code beside it counts where it means the same to who knows its number alone. */
function fromCode(wire: WireError, metadata: readonly MetadataEntry[]): ActrError {
  const value = metadata.find(({ key }) => key === codeKey)?.value;
  const code = value === undefined || value.length > maxCodeLength ? undefined : hostCode(value);
  if (code === undefined || errorFacts(code).wire !== wire.code) return fromWireError(wire);
  return fromKnownCode(code, wire);
}

function hostCode(text: string): ErrorCode | undefined {
  if (/^user\.[^\s]+$/.test(text)) return text as ErrorCode;
  return (hostErrorCodes as readonly string[]).includes(text) ? (text as ErrorCode) : undefined;
}

function parseDetails(text: string): ErrorDetails | undefined {
  if (text.length > maxDetailsLength) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as ErrorDetails) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The error in a response: one prefix of the display text is taken off, a `retry_after_ms` hint is read
 * from any text, and an unknown number becomes `unavailable` (`spec/protocol.md` §11.2).
 */
export function fromWireError(error: WireError): ActrError {
  return fromKnownCode(codesByNumber.get(error.code), error);
}

/** {@link fromWireError} for peers known to be no newer than 0.3.7, whose numbers looked like HTTP's. */
export function fromLegacyWireError(error: WireError): ActrError {
  return fromKnownCode(legacyCodes.get(error.code) ?? codesByNumber.get(error.code), error);
}

function fromKnownCode(code: ErrorCode | undefined, error: WireError): ActrError {
  const hint = retryHint(error.message);
  if (code === undefined) {
    return new ActrError("unavailable", `rpc error ${error.code}: ${error.message}`, hint);
  }
  if (code === "dependency_not_found") return dependencyNotFound(error.message, hint);
  return new ActrError(code, messageOf(code, error.message), hint);
}

function retryHint(text: string): { readonly retryAfterMs?: number } {
  const digits = /retry_after_ms=Some\(([0-9]{1,15})\)/.exec(text)?.[1];
  return digits === undefined ? {} : { retryAfterMs: Number(digits) };
}

/** The text without the prefix and the hint that the display text adds. */
function messageOf(code: ErrorCode, text: string): string {
  const { prefix } = errorFacts(code);
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const message = bare.replace(/(?:^|; )retry_after_ms=(?:None|Some\([0-9]{1,15}\))$/, "");
  return message === "" ? prefix.replace(/: $/, "") : message;
}

function dependencyNotFound(text: string, hint: { readonly retryAfterMs?: number }): ActrError {
  const [, service, message] = /^dependency '(.*?)' not found: (.*)$/s.exec(text) ?? [];
  const details = service === undefined ? {} : { details: { service } };
  return new ActrError("dependency_not_found", message ?? text, { ...hint, ...details });
}
