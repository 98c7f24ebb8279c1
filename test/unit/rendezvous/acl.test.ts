import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ResolvedRule } from "../../../src/protocol/acl.ts";
import { aclMessage, rulesOf } from "../../../src/protocol/acl_message.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { formatActrType, parseActrType } from "../../../src/protocol/ids.ts";
import {
  AclRule_Permission,
  AclSchema,
  create,
  decode,
  encode,
  type MessageInit,
} from "../../../src/protocol/schema.ts";
import { admits, type Caller, type WithoutRules } from "../../../src/rendezvous/discovery/acl.ts";
import behaviour from "../../vectors/behaviour.json" with { type: "json" };
import protocol from "../../vectors/protocol.json" with { type: "json" };

const client = "acme:client:0.1.0";

function node(type: string, realm: number): Caller & { id: Caller["id"] } {
  return { id: { realm, serial: 1n, type: parseActrType(type) }, type };
}

/** Whether a node of realm 1 with these rules is found by a caller. */
function finds(
  caller: Caller,
  rules: readonly ResolvedRule[] | undefined,
  withoutRules: WithoutRules = "allow",
): boolean {
  const { id } = node("acme:echo:1.0.0", 1);
  return admits({ id, rules }, caller, withoutRules);
}

/** Rules as they come over the wire. */
function received(...rules: NonNullable<MessageInit<typeof AclSchema>["rules"]>): ResolvedRule[] {
  return rulesOf(decode(AclSchema, encode(AclSchema, { rules })));
}

const fromType = parseActrType(client);
const { ALLOW, DENY } = AclRule_Permission;
const inRealm = (value: number) => ({ case: "realmId", value }) as const;
const anywhere = { case: "anyRealm", value: true } as const;

describe("admits", () => {
  for (const { name, caller, rules, allow } of behaviour.acl_node) {
    if (caller === null) continue;
    it(`[V-behaviour.acl_node] ${name}`, () => {
      const wire = rules?.map(({ permission, from_type, source_realm }) => ({
        permission: AclRule_Permission[permission as "ALLOW" | "DENY"],
        fromType: parseActrType(from_type),
        ...(typeof source_realm === "number" && { sourceRealm: inRealm(source_realm) }),
        ...(source_realm === "*" && { sourceRealm: anywhere }),
      }));
      assert.equal(finds(node(caller.type, caller.realm), wire && received(...wire)), allow);
    });
  }

  // The examples of section 9, for a caller acme:client:0.1.0 in realm 1.
  const other = parseActrType("acme:other:0.1.0");
  const newer = parseActrType("acme:client:0.2.0");
  const examples: readonly [string, ResolvedRule[] | undefined, boolean][] = [
    ["none configured", undefined, true],
    ["no rules", [], false],
    ["ALLOW same type, no realm", received({ permission: ALLOW, fromType }), true],
    [
      "ALLOW same type, then DENY same type",
      received({ permission: ALLOW, fromType }, { permission: DENY, fromType }),
      false,
    ],
    [
      "DENY same type, then ALLOW same type",
      received({ permission: DENY, fromType }, { permission: ALLOW, fromType }),
      false,
    ],
    ["ALLOW type version 0.2.0", received({ permission: ALLOW, fromType: newer }), false],
    [
      "ALLOW same type, realm 1001",
      received({ permission: ALLOW, fromType, sourceRealm: inRealm(1001) }),
      false,
    ],
    [
      "ALLOW same type, own realm",
      received({ permission: ALLOW, fromType, sourceRealm: inRealm(1) }),
      true,
    ],
    [
      "ALLOW same type, any_realm",
      received({ permission: ALLOW, fromType, sourceRealm: anywhere }),
      true,
    ],
    ["ALLOW other type", received({ permission: ALLOW, fromType: other }), false],
    ["DENY other type alone", received({ permission: DENY, fromType: other }), false],
  ];
  for (const [rules, given, allow] of examples) {
    it(`${rules}: ${allow ? "allow" : "deny"}`, () => {
      assert.equal(finds(node(client, 1), given), allow);
    });
  }

  const withoutRules: readonly [WithoutRules, boolean, boolean][] = [
    ["allow", true, true],
    ["realm", true, false],
    ["deny", false, false],
  ];
  for (const [policy, sameRealm, otherRealm] of withoutRules) {
    it(`without rules, "${policy}" lets the own realm in: ${sameRealm}, others: ${otherRealm}`, () => {
      assert.equal(finds(node(client, 1), undefined, policy), sameRealm);
      assert.equal(finds(node(client, 2), undefined, policy), otherRealm);
      assert.equal(finds(node(client, 1), [], policy), false);
    });
  }
});

describe("rulesOf", () => {
  it("[V-protocol.acl] reads and writes the vector", () => {
    const bytes = fromHex(protocol.acl.hex) ?? assert.fail();
    const rules = rulesOf(decode(AclSchema, bytes));
    assert.deepEqual(rules, [
      { permission: "allow", type: client, realm: 1001 },
      { permission: "deny", type: client },
    ]);
    assert.equal(toHex(encode(AclSchema, aclMessage(rules))), protocol.acl.hex);
  });

  it("denies by a permission that it does not know", () => {
    // One rule: permission 7, from_type as above.
    const type = encode(AclSchema, { rules: [{ permission: ALLOW, fromType }] }).slice(4);
    const bytes = Uint8Array.of(0x0a, type.length + 2, 0x08, 7, ...type);
    const [rule] = rulesOf(decode(AclSchema, bytes));
    assert.deepEqual(rule, { permission: "deny", type: client });
  });

  it("matches nobody by a rule without a type", () => {
    const [rule] = rulesOf(create(AclSchema, { rules: [{ permission: ALLOW }] }));
    assert.notEqual(rule?.type, formatActrType({ manufacturer: "", name: "", version: "" }));
    assert.equal(finds(node(client, 1), rule && [rule]), false);
  });
});
