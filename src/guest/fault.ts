import { ActrError, type NodeErrorCode } from "../errors.ts";

/** What ended a guest, or kept it from beginning (`spec/guest.md` §12). */
export type GuestFault =
  | "load_failed"
  | "init_failed"
  | "trapped"
  | "out_of_fuel"
  | "interrupted"
  | "resource_limit"
  | "discarded"
  | "timed_out";

const codes: Readonly<Record<GuestFault, NodeErrorCode>> = {
  load_failed: "config",
  init_failed: "internal",
  trapped: "internal",
  out_of_fuel: "internal",
  interrupted: "internal",
  resource_limit: "overloaded",
  discarded: "unavailable",
  timed_out: "timed_out",
};

/** All faults. */
export const guestFaults: readonly GuestFault[] = Object.keys(codes) as GuestFault[];

/** Longest text of a fault, UTF-16 units: it may come from the guest. */
const longestText = 512;

/** The error of a fault; `details.fault` names it. */
export function guestFault(fault: GuestFault, message: string, cause?: unknown): ActrError {
  const text = message.length <= longestText ? message : `${message.slice(0, longestText - 1)}…`;
  return new ActrError(codes[fault], text, {
    details: { fault },
    ...(cause !== undefined && { cause }),
  });
}

/** The fault that an error stands for, if it stands for one. */
export function faultOf(error: unknown): GuestFault | undefined {
  const fault = ActrError.is(error) ? error.details?.["fault"] : undefined;
  return typeof fault === "string" && Object.hasOwn(codes, fault)
    ? (fault as GuestFault)
    : undefined;
}
