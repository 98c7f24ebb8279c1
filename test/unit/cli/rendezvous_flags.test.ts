import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Misuse } from "../../../src/cli/misuse.ts";
import { manufacturersOf, realmsOf } from "../../../src/cli/rendezvous_flags.ts";

const key = `${"A".repeat(43)}=`;
const other = `${"B".repeat(42)}A=`;

describe("the flags of roost rendezvous", () => {
  it("name realms, each with a secret and the one before", () => {
    assert.deepEqual(realmsOf([]), []);
    assert.deepEqual(realmsOf(["7", "8:a:b"]), [{ id: 7 }, { id: 8, secret: "a:b" }]);
    const both = [{ id: 7, secret: "new", previousSecret: "old" }];
    assert.deepEqual(realmsOf(["7:new", "7:old"]), both);
    const misused = [["x"], ["7:"], ["7: a"], ["7", "7"], ["7:a", "7"], ["7:a", "7:b", "7:c"]];
    for (const values of misused) assert.throws(() => realmsOf(values), Misuse, values.join());
  });

  it("name manufacturers, each with its keys", () => {
    const expected = [
      { name: "acme", keys: [key, other] },
      { name: "umbrella", keys: [key] },
    ];
    const values = [`acme:${key}`, `umbrella:${key}`, `acme:${other}`];
    assert.deepEqual(manufacturersOf(values), expected);
    for (const bad of ["acme", "acme:", `:${key}`, "acme:AAAA", `acme:${key}=`]) {
      assert.throws(() => manufacturersOf([bad]), Misuse, bad);
    }
  });
});
