import type { ActrError } from "../../../errors.ts";
import { faultOf, guestFault } from "../../fault.ts";

/** Ends the guest: it broke a rule of the canonical ABI. @throws ActrError with fault `trapped`, always. */
export function trap(rule: string): never {
  throw guestFault("trapped", `the guest broke a rule of its world: ${rule}`);
}

/** Ends the guest: it wants more than it may have. @throws ActrError with fault `resource_limit`, always. */
export function exceed(limit: string): never {
  throw guestFault("resource_limit", `the guest exceeds a limit: ${limit}`);
}

/** What the counters of an instance say about a trap. */
export interface TrapFacts {
  /** Points of fuel that are left. */
  readonly fuel: number;
  /** Growths of memory that were refused. */
  readonly denied: number;
}

/** The fault behind what an instance threw: a trap, a stack overflow, or a fault that was thrown through it. */
export function toFault(thrown: unknown, facts: TrapFacts): ActrError {
  if (faultOf(thrown) !== undefined) return thrown as ActrError;
  if (facts.fuel === 0) return guestFault("out_of_fuel", "the guest used up its fuel", thrown);
  if (facts.denied > 0) {
    return guestFault("resource_limit", "the guest failed after it was refused memory", thrown);
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return guestFault("trapped", `the guest trapped: ${text}`, thrown);
}
