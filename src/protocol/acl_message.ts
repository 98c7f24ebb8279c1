import { parseActrType } from "./ids.ts";
import { type Acl, type AclRule, AclRule_Permission, AclSchema, create } from "./schema.ts";

/** A rule with its realm resolved; without one, any realm. */
interface Rule {
  readonly permission: "allow" | "deny";
  /** Canonical text of the caller's type. */
  readonly type: string;
  readonly realm?: number;
}

/** The rules as a registration carries them (`spec/protocol.md` §2.3). */
export function aclMessage(rules: readonly Rule[]): Acl {
  return create(AclSchema, {
    rules: rules.map(({ permission, type, realm }) => ({
      permission: permission === "allow" ? AclRule_Permission.ALLOW : AclRule_Permission.DENY,
      fromType: parseActrType(type),
      sourceRealm: sourceRealm(realm),
    })),
  });
}

function sourceRealm(realm: number | undefined): AclRule["sourceRealm"] {
  if (realm === undefined) return { case: "anyRealm", value: true };
  return { case: "realmId", value: realm };
}
