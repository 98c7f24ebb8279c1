import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode } from "@roost/edge";
import { testNode } from "@roost/edge/testing";
import { fingerprintOf } from "../../../src/protocol/dependencies.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import behaviour from "../../vectors/behaviour.json" with { type: "json" };

const text = "acme:Echo:1.0.0";
const type = parseActrType(text);
const other = { type: "acme:Other:1.0.0", fingerprint: "service_semantic:00" };

describe("dependencies", () => {
  it("[N-79] the fingerprint of a type: none, by its name, by its type, or an error", () => {
    assert.equal(fingerprintOf(undefined, type), "");
    const scanned = { name: "echo", type: text, fingerprint: "service_semantic:11" };
    const exact = { name: text, type: "acme:Echo:2.0.0", fingerprint: "service_semantic:22" };
    assert.equal(fingerprintOf([other, scanned, exact], type), exact.fingerprint);
    assert.equal(fingerprintOf([other, scanned], type), scanned.fingerprint);
    assert.throws(() => fingerprintOf([other], type), {
      code: "dependency_not_found",
      details: { service: text },
      display: /^dependency 'acme:Echo:1\.0\.0' not found: /,
    });
  });

  it("[V-behaviour.lock_dependency_match] a dependency is found by the whole text of its type alone", () => {
    for (const { lock_actr_type, target, match } of behaviour.lock_dependency_match) {
      const { fingerprint } = other;
      const wanted = parseActrType(target);
      const find = () => fingerprintOf([{ type: lock_actr_type, fingerprint }], wanted);
      if (match) assert.equal(find(), fingerprint);
      else assert.throws(find, { code: "dependency_not_found" });
    }
  });

  it("a node that names its dependencies finds nothing else", async () => {
    await using t = await testNode(defineNode({ type: text }));
    const { fingerprint } = other;
    const narrow = defineNode({ dependencies: [{ type: text, fingerprint }] });
    await using asker = await t.peer(narrow);
    assert.deepEqual(await asker.context.discover(text), [t.id]);
    const unknown = asker.context.discover("acme:Other:1.0.0");
    await assert.rejects(unknown, { code: "dependency_not_found" });
  });
});
