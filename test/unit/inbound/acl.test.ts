import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AclRule } from "../../../src/define.ts";
import { isAllowed, nearestRules, type Origin, resolveRules } from "../../../src/inbound/acl.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import vectors from "../../vectors/behaviour.json" with { type: "json" };
import { RemotePeer, rig } from "./support.ts";

const ownRealm = 1001;

function caller(type: string, realm = ownRealm): Origin {
  return { realm, serial: 7n, type: parseActrType(type) };
}

function allows(origin: Origin, rules: readonly AclRule[] | undefined): boolean {
  return isAllowed(origin, rules && resolveRules(rules, ownRealm));
}

const client = caller("acme:client:0.1.0");
const allow: AclRule = { permission: "allow", type: "acme:client:0.1.0" };
const deny: AclRule = { permission: "deny", type: "acme:client:0.1.0" };

describe("access rules", () => {
  it("[V-behaviour.acl_node] decide as the vectors say", () => {
    assert.ok(vectors.acl_node.length >= 9);
    // The vectors' rules without a realm mean that of the node, which is 1.
    for (const { name, caller: who, rules, allow: expected } of vectors.acl_node) {
      const resolved = rules?.map((rule) => ({
        permission: rule.permission.toLowerCase() as "allow" | "deny",
        type: rule.from_type,
        ...(rule.source_realm === null ? {} : { realm: rule.source_realm as "*" | number }),
      }));
      const origin = who === null ? "host" : caller(who.type, who.realm);
      const actual = isAllowed(origin, resolved && resolveRules(resolved, 1));
      assert.equal(actual, expected, name);
    }
  });

  it("[N-84] the host itself is always allowed", () => {
    assert.equal(allows("host", []), true);
    assert.equal(allows("host", [deny]), true);
  });

  it("[N-85] without rules everybody is allowed", () => {
    assert.equal(allows(client, undefined), true);
  });

  it("[N-86] an empty list allows nobody", () => {
    assert.equal(allows(client, []), false);
  });

  it("[N-87] a matching deny wins, wherever it stands", () => {
    assert.equal(allows(client, [allow, deny]), false);
    assert.equal(allows(client, [deny, allow]), false);
  });

  it("[N-88] a matching allow allows", () => {
    assert.equal(allows(client, [allow]), true);
  });

  it("[N-89] without a match nobody is allowed; names and versions match exactly", () => {
    for (const type of ["other:client:0.1.0", "acme:clients:0.1.0", "acme:client:0.1.1"])
      assert.equal(allows(caller(type), [allow]), false, type);
    assert.equal(allows(caller("acme:client:0.1.0", 2002), [allow]), false);
  });

  it("[N-90] a rule for any realm matches a foreign one; one with a number only that", () => {
    const foreign = caller("acme:client:0.1.0", 2002);
    assert.equal(allows(foreign, [{ ...allow, realm: "*" }]), true);
    assert.equal(allows(foreign, [{ ...allow, realm: 2002 }]), true);
    assert.equal(allows(client, [{ ...allow, realm: 2002 }]), false);
  });

  it("[ND-09] an unknown sender is never taken for the host", () => {
    assert.equal(allows("unknown", undefined), false);
    assert.equal(allows("unknown", [allow]), false);
  });

  it("are refused with the index of the one that is wrong", () => {
    assert.throws(() => resolveRules([allow, { permission: "allow", type: "acme" }], 1), {
      code: "config",
      message: /rule 1.*acme/,
    });
    const permission = "maybe" as "allow";
    assert.throws(() => resolveRules([{ ...allow, permission }], 1), /rule 0.*maybe/);
  });

  it("of a method are refused with their own index, whatever wider lists deny", () => {
    assert.throws(() => nearestRules([[deny], undefined, [{ ...allow, type: "acme" }]], 1), {
      code: "config",
      message: /rule 0.*acme/,
    });
  });

  it("of a method do not undo what its service denies, also when they are those of the node", () => {
    const shared = [allow];
    const nearest = nearestRules([shared, [deny], shared], ownRealm);
    assert.equal(isAllowed(client, nearest), false);
  });

  it("answer a caller that is not allowed at once, without running the handler", async () => {
    const world = await rig({ acl: [] });
    const remote = new RemotePeer(world);
    await remote.send("hi");
    assert.deepEqual(remote.heard, [10004]);
    assert.deepEqual(world.handled, []);
    assert.equal(world.inbound.refused, 1);
    assert.equal(world.inbound.mailbox.idle, true);
  });
});
