import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type ActrId, parseActrType } from "../../../src/protocol/ids.ts";
import {
  type Acl,
  AclRule_Permission,
  AclSchema,
  create,
  type MessageInit,
} from "../../../src/protocol/schema.ts";
import { admits } from "../../../src/rendezvous/acl.ts";

interface Rule {
  readonly permission: "ALLOW" | "DENY";
  readonly from_type: string;
  readonly source_realm: null | number | "*";
}

interface Row {
  readonly name: string;
  readonly caller: { readonly type: string; readonly realm: number } | null;
  readonly rules: readonly Rule[] | null;
  readonly allow: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/behaviour.json", import.meta.url), "utf8"),
) as { acl_node: Row[] };

function aclOf(rules: readonly Rule[]): Acl {
  const init: MessageInit<typeof AclSchema> = { rules: rules.map(ruleOf) };
  return create(AclSchema, init);
}

function ruleOf({ permission, from_type, source_realm }: Rule) {
  const sourceRealm =
    source_realm === null
      ? ({ case: undefined } as const)
      : typeof source_realm === "number"
        ? ({ case: "realmId", value: source_realm } as const)
        : ({ case: "anyRealm", value: true } as const);
  const fromType = parseActrType(from_type);
  return { permission: AclRule_Permission[permission], fromType, sourceRealm };
}

describe("admits, as the node does", () => {
  for (const { name, caller, rules, allow } of vectors.acl_node) {
    if (caller === null) continue;
    it(name, () => {
      const id: ActrId = { realm: caller.realm, serial: 1n, type: parseActrType(caller.type) };
      assert.equal(admits(rules === null ? undefined : aclOf(rules), id, true), allow);
    });
  }

  it("leaves a node without rules to the option", () => {
    const id: ActrId = { realm: 1, serial: 1n, type: parseActrType("acme:client:0.1.0") };
    assert.equal(admits(undefined, id, false), false);
    assert.equal(admits(undefined, id, true), true);
  });
});
