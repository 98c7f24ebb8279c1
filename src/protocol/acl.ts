/** A rule of access as it is checked: its realm resolved. */
export interface ResolvedRule {
  readonly permission: "allow" | "deny";
  /** Canonical text of the caller's type, version included. */
  readonly type: string;
  /** Absent for any realm. */
  readonly realm?: number;
}

/**
 * Whether `rules` let a caller of a type and a realm in: any matching denial wins, else any matching allowance, else
 * nobody is let in (`spec/protocol.md` §9). Nodes judge calls by it, the rendezvous what is found and relayed.
 */
export function permits(rules: readonly ResolvedRule[], type: string, realm: number): boolean {
  let allowed = false;
  for (const rule of rules) {
    if (rule.type !== type) continue;
    if (rule.realm !== undefined && rule.realm !== realm) continue;
    if (rule.permission === "deny") return false;
    allowed = true;
  }
  return allowed;
}
