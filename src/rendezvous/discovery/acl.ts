import { permits, type ResolvedRule } from "../../protocol/acl.ts";
import type { ActrId } from "../../protocol/ids.ts";

/** Who finds and reaches a node that registered without access rules: everybody, the nodes of its realm, or nobody. */
export type WithoutRules = "allow" | "realm" | "deny";

/** A node whose rules are asked. */
export interface Owner {
  readonly id: ActrId;
  /** Absent when it registered without; an empty list admits nobody. */
  readonly rules: readonly ResolvedRule[] | undefined;
}

/** A node that wants to find or reach another. */
export interface Caller {
  readonly id: ActrId;
  /** Text form of its type. */
  readonly type: string;
}

/** Whether `owner` may be found and reached by `caller` (`spec/protocol.md` §9, judged as nodes do). */
export function admits(owner: Owner, caller: Caller, withoutRules: WithoutRules): boolean {
  if (owner.rules !== undefined) return permits(owner.rules, caller.type, caller.id.realm);
  return withoutRules === "realm" ? owner.id.realm === caller.id.realm : withoutRules === "allow";
}
