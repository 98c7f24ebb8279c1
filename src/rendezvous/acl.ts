import type { ActrId } from "../protocol/ids.ts";
import { type Acl, type AclRule, AclRule_Permission } from "../protocol/schema.ts";

/**
 * Whether `acl` lets `caller` find and reach its owner: a matching DENY wins, else a matching ALLOW, else no;
 * without an ACL, `withoutRules` decides (`spec/protocol.md` §9, the node's semantics).
 */
export function admits(acl: Acl | undefined, caller: ActrId, withoutRules: boolean): boolean {
  if (acl === undefined) return withoutRules;
  let allowed = false;
  for (const rule of acl.rules) {
    if (!matches(rule, caller)) continue;
    if (rule.permission !== AclRule_Permission.ALLOW) return false;
    allowed = true;
  }
  return allowed;
}

/** The type must be equal, version included; a rule without a realm, or for any, matches every realm. */
function matches({ fromType: type, sourceRealm }: AclRule, caller: ActrId): boolean {
  return (
    type?.manufacturer === caller.type.manufacturer &&
    type.name === caller.type.name &&
    type.version === caller.type.version &&
    (sourceRealm.case !== "realmId" || sourceRealm.value === caller.realm)
  );
}
