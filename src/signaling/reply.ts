import { ActrError } from "../errors.ts";
import type { ErrorResponse, SignalingToActr } from "../protocol/schema.ts";
import { serverError } from "./server_error.ts";

/** What the server answers to a request. */
export type Reply = SignalingToActr["payload"];

/** The kinds of answer. */
export type ReplyCase = Exclude<Reply["case"], undefined>;

/** The message of one kind of answer. */
export type ReplyOf<Case> = Extract<Reply, { readonly case: Case }>["value"];

/** The message in a reply of the expected kind. @throws ActrError as {@link serverError}; `decode_failure` for another kind. */
export function readReply<Case extends ReplyCase>(
  what: string,
  reply: Reply,
  expected: Case,
): ReplyOf<Case> {
  if (reply.case === expected) return reply.value as ReplyOf<Case>;
  if (reply.case === "error") throw serverError(what, reply.value);
  throw new ActrError("decode_failure", `signaling answered ${what} with ${reply.case}`);
}

type Outcome =
  | { readonly case: "success"; readonly value: unknown }
  | { readonly case: "error"; readonly value: ErrorResponse }
  | { readonly case: undefined };
type Granted<Result> =
  Extract<Result, { readonly case: "success" }> extends {
    readonly value: infer Value;
  }
    ? Value
    : never;

/** What a request was granted. @throws ActrError as {@link serverError}; `decode_failure` for an answer that is neither. */
export function succeeded<Result extends Outcome>(
  what: string,
  { result }: { readonly result: Result },
): Granted<Result> {
  if (result.case === "success") return result.value as Granted<Result>;
  if (result.case === "error") throw serverError(what, result.value);
  throw new ActrError("decode_failure", `signaling answered ${what} with nothing`);
}
