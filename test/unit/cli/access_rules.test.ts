import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accessRules } from "../../../src/cli/settings/parsers.ts";
import { resolveRules } from "../../../src/inbound/acl.ts";
import type { ResolvedRule } from "../../../src/protocol/acl.ts";

const place = { name: "acl.rules", folder: "/" };
const type = "acme:client:0.1.0";

/** Rules of a file as a node of realm 7 checks them. */
function resolved(...rules: unknown[]): ResolvedRule[] {
  return resolveRules(accessRules(rules, place), 7);
}

describe("access rules of a file", () => {
  // The form that section 9 gives them.
  const rows: readonly [rule: Record<string, unknown>, becomes: ResolvedRule][] = [
    [
      { permission: "allow", type },
      { permission: "allow", type, realm: 7 },
    ],
    [
      { permission: "ALLOW", type },
      { permission: "allow", type, realm: 7 },
    ],
    [
      { permission: "Deny", type },
      { permission: "deny", type, realm: 7 },
    ],
    [
      { permission: "allow", type, realm: "self" },
      { permission: "allow", type, realm: 7 },
    ],
    [
      { permission: "allow", type, realm: "*" },
      { permission: "allow", type },
    ],
    [
      { permission: "allow", type, realm: 1001 },
      { permission: "allow", type, realm: 1001 },
    ],
    [
      { permission: "allow", type, realm: 0 },
      { permission: "allow", type, realm: 0 },
    ],
  ];
  for (const [rule, becomes] of rows) {
    it(`${JSON.stringify(rule)} is ${JSON.stringify(becomes)}`, () => {
      assert.deepEqual(resolved(rule), [becomes]);
    });
  }

  const wrong: readonly unknown[] = [
    { type },
    { permission: "maybe", type },
    { permission: 1, type },
    { permission: "allow" },
    { permission: "allow", type: "acme:client" },
    { permission: "allow", type, realm: "other" },
    { permission: "allow", type, realm: -1 },
    { permission: "allow", type, realm: 1.5 },
    { permission: "allow", type, realm: 2 ** 32 },
    { permission: "allow", type, realms: "*" },
    "allow",
  ];
  for (const rule of wrong) {
    it(`${JSON.stringify(rule)} is refused`, () => {
      assert.throws(() => resolved(rule), { name: "Misuse" });
    });
  }

  it("may be none: then nobody is let in", () => {
    assert.deepEqual(resolved(), []);
  });
});
