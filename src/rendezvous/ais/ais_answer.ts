import {
  encode,
  RegisterResponseSchema,
  RenewCredentialResponseSchema,
} from "../../protocol/schema.ts";
import type { Issued } from "./issue.ts";
import type { Refusal } from "./realms.ts";

/** An answer of the identity service over HTTP. */
export interface AisAnswer {
  readonly status: number;
  /** Of the error inside; 200 for a success. */
  readonly code: number;
  /** Encoded RegisterResponse or RenewCredentialResponse. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** After which another try may pass. */
  readonly retryAfterSeconds?: number;
}

/** What was issued, or why it was not. */
export type Outcome =
  | { readonly issued: Issued }
  | { readonly refusal: Refusal; readonly retryAfterSeconds?: number };

/** The answer to a registration: errors are inside a status of 200, but for too many (`spec/protocol.md` §6.1). */
export function registerAnswer(outcome: Outcome): AisAnswer {
  const bytes = encode(RegisterResponseSchema, { result: resultOf(outcome) });
  const code = codeOf(outcome);
  return { status: code === 429 ? 429 : 200, code, bytes, ...waitOf(outcome) };
}

/** The answer to a renewal, whose status mirrors the code of an error (`spec/protocol.md` §6.4). */
export function renewAnswer(outcome: Outcome): AisAnswer {
  const bytes = encode(RenewCredentialResponseSchema, { result: resultOf(outcome) });
  const code = codeOf(outcome);
  return { status: code, code, bytes, ...waitOf(outcome) };
}

function codeOf(outcome: Outcome): number {
  return "refusal" in outcome ? outcome.refusal.code : 200;
}

function resultOf(outcome: Outcome) {
  return "issued" in outcome
    ? ({ case: "success", value: outcome.issued } as const)
    : ({ case: "error", value: outcome.refusal } as const);
}

function waitOf(outcome: Outcome): Pick<AisAnswer, "retryAfterSeconds"> {
  if ("issued" in outcome || outcome.retryAfterSeconds === undefined) return {};
  return { retryAfterSeconds: outcome.retryAfterSeconds };
}
