import { ActrError, type ActrErrorOptions, type ErrorCode } from "../../errors.ts";
import type {
  EntryOutcome,
  GuestCode,
  GuestEntry,
  GuestLimits,
  HostAnswer,
  HostCall,
  Invocation,
} from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type { PackedAnswer, PackedDispatch } from "./packed.ts";

/** To the thread of a guest. Instances, entries and calls are named by numbers, each by the side that makes them. */
export type ToGuest =
  | PackedDispatch
  | { readonly kind: "load"; readonly code: GuestCode; readonly limits: GuestLimits }
  | { readonly kind: "instantiate" | "discard"; readonly instance: number }
  /** Who the node is, for the dispatches that follow. */
  | { readonly kind: "self"; readonly instance: number; readonly selfId: ActrId }
  | {
      readonly kind: "enter";
      readonly instance: number;
      readonly id: number;
      readonly entry: GuestEntry;
      readonly invocation: Invocation;
    }
  | {
      readonly kind: "answer";
      readonly instance: number;
      readonly id: number;
      readonly answer: HostAnswer;
    };

/** From the thread of a guest. */
export type FromGuest =
  | PackedAnswer
  | { readonly kind: "loaded" }
  | { readonly kind: "not_loaded"; readonly failure: Failure }
  | { readonly kind: "instantiated"; readonly instance: number; readonly memoryBytes: number }
  | { readonly kind: "not_instantiated"; readonly instance: number; readonly failure: Failure }
  | { readonly kind: "discarded"; readonly instance: number }
  | {
      readonly kind: "ended";
      readonly instance: number;
      readonly id: number;
      readonly outcome: EntryOutcome;
      readonly memoryBytes: number;
    }
  | {
      readonly kind: "failed";
      readonly instance: number;
      readonly id: number;
      readonly failure: Failure;
    }
  | {
      readonly kind: "call";
      readonly instance: number;
      /** 0 where no answer is awaited. */
      readonly id: number;
      readonly call: HostCall;
    };

/** A message with a name, by that name. */
export type Named<Message, Kind> = Extract<Message, { readonly kind: Kind }>;

/** An ActrError as it crosses a thread. */
export type Failure = Pick<ActrError, "code" | "message" | "details" | "retryAfterMs" | "public">;

/** What of an error crosses a thread; one that is none of ours, too. */
export function toFailure(error: unknown): Failure {
  const { code, message, details, retryAfterMs, public: isPublic } = ActrError.from(error);
  return { code, message, details, retryAfterMs, public: isPublic };
}

/** The error that crossed. */
export function toError(failure: Failure): ActrError {
  const { code, message, details, retryAfterMs, public: isPublic } = failure;
  const options: ActrErrorOptions = {
    public: isPublic,
    ...(details !== undefined && { details }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return new ActrError(code as ErrorCode, message, options);
}
