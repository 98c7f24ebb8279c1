import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { initiatorOffers } from "../../../src/rendezvous/roles.ts";

interface Row {
  readonly realm: number;
  readonly from_serial: number;
  readonly to_serial: number;
  readonly from_role: "answer" | null;
  readonly to_role: "answer" | null;
  readonly from_is_offerer: boolean;
  readonly to_is_offerer: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/behaviour.json", import.meta.url), "utf8"),
) as { role_assignment: Row[] };

function id(realm: number, serial: number, name = "echo", manufacturer = "acme"): ActrId {
  return { realm, serial: BigInt(serial), type: { manufacturer, name, version: "1.0.0" } };
}

describe("initiatorOffers", () => {
  for (const row of vectors.role_assignment) {
    const title = `${row.from_serial} (${row.from_role}) to ${row.to_serial} (${row.to_role})`;
    it(`[V-behaviour.role_assignment] ${title}`, () => {
      const from = { id: id(row.realm, row.from_serial), answersOnly: row.from_role === "answer" };
      const to = { id: id(row.realm, row.to_serial), answersOnly: row.to_role === "answer" };
      assert.equal(initiatorOffers(from, to), row.from_is_offerer);
      assert.equal(!initiatorOffers(from, to), row.to_is_offerer);
    });
  }

  it("compares realm, serial, manufacturer and name, in this order", () => {
    const offers = (from: ActrId, to: ActrId): boolean =>
      initiatorOffers({ id: from, answersOnly: false }, { id: to, answersOnly: false });
    assert.equal(offers(id(2, 1), id(1, 9)), true);
    assert.equal(offers(id(1, 2, "a", "a"), id(1, 1, "b", "b")), true);
    assert.equal(offers(id(1, 1, "a", "b"), id(1, 1, "b", "a")), true);
    assert.equal(offers(id(1, 1, "b"), id(1, 1, "a")), true);
    assert.equal(offers(id(1, 1), id(1, 1)), false);
  });
});
