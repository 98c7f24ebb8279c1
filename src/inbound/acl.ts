import type { AclRule } from "../define.ts";
import { ActrError } from "../errors.ts";
import { permits, type ResolvedRule } from "../protocol/acl.ts";
import { type ActrId, formatActrId, formatActrType, parseActrType } from "../protocol/ids.ts";
import type { Peer } from "../session/peer.ts";

/** @throws ActrError `config` naming the rule that is malformed. */
export function resolveRules(rules: readonly AclRule[], ownRealm: number): ResolvedRule[] {
  return rules.map((rule, index) => {
    if (rule.permission !== "allow" && rule.permission !== "deny") {
      throw new ActrError(
        "config",
        `acl rule ${index}: permission is ${String(rule.permission)}; it must be allow or deny`,
      );
    }
    const type = parseRuleType(rule.type, index);
    if (rule.realm === "*") return { permission: rule.permission, type };
    const realm = rule.realm === undefined || rule.realm === "self" ? ownRealm : rule.realm;
    return { permission: rule.permission, type, realm };
  });
}

function parseRuleType(text: string, index: number): string {
  try {
    return formatActrType(parseActrType(text));
  } catch (cause) {
    throw new ActrError(
      "config",
      `acl rule ${index}: type is ${text}; write manufacturer:name:version`,
      {
        cause,
      },
    );
  }
}

/**
 * The rules of a route, from lists of which each is narrower than the one before: the last one counts, with every
 * denial of the others. Undefined where none is narrower than the first, which is the node's own.
 */
export function nearestRules(
  lists: readonly (readonly AclRule[] | undefined)[],
  ownRealm: number,
): ResolvedRule[] | undefined {
  if (lists.slice(1).every((list) => list === undefined)) return undefined;
  const given = lists.flatMap((list) => (list === undefined ? [] : [resolveRules(list, ownRealm)]));
  const nearest = given.pop() ?? [];
  return [...given.flat().filter(isDenial), ...nearest];
}

function isDenial({ permission }: ResolvedRule): boolean {
  return permission === "deny";
}

/** A caller as the rules see it. `unknown` is a sender that could not be told: never treated as the host. */
export type Origin = "host" | "unknown" | ActrId;

/** Where what `from` sends comes from: what a node asks itself, its host asks. */
export function originOf(from: Peer, selfId: ActrId): Origin {
  return from.key === formatActrId(selfId) ? "host" : from.id;
}

/** Whether `origin` may call: the host always, an unknown sender never, anybody else by the rules, and without rules too (`spec/protocol.md` §9). */
export function isAllowed(origin: Origin, rules: readonly ResolvedRule[] | undefined): boolean {
  if (origin === "host") return true;
  if (origin === "unknown") return false;
  return rules === undefined || permits(rules, formatActrType(origin.type), origin.realm);
}
