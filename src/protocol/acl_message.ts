import type { ResolvedRule } from "./acl.ts";
import { formatActrType, parseActrType } from "./ids.ts";
import { type Acl, type AclRule, AclRule_Permission, AclSchema, create } from "./schema.ts";

/** The rules as a registration carries them (`spec/protocol.md` §2.3). */
export function aclMessage(rules: readonly ResolvedRule[]): Acl {
  return create(AclSchema, {
    rules: rules.map(({ permission, type, realm }) => ({
      permission: permission === "allow" ? AclRule_Permission.ALLOW : AclRule_Permission.DENY,
      fromType: parseActrType(type),
      sourceRealm: sourceRealm(realm),
    })),
  });
}

/**
 * The rules that a registration carries. One without a realm counts for any; one without a type matches nobody; a
 * permission that is not known denies.
 */
export function rulesOf({ rules }: Acl): ResolvedRule[] {
  return rules.map(({ permission, fromType, sourceRealm: realm }) => ({
    permission: permission === AclRule_Permission.ALLOW ? "allow" : "deny",
    type: fromType === undefined ? "" : formatActrType(fromType),
    ...(realm.case === "realmId" && { realm: realm.value }),
  }));
}

function sourceRealm(realm: number | undefined): AclRule["sourceRealm"] {
  if (realm === undefined) return { case: "anyRealm", value: true };
  return { case: "realmId", value: realm };
}
