import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Random } from "../../src/ports/random.ts";

/** What every Random must do. */
export function randomConformance(name: string, open: () => Random): void {
  describe(`random: ${name}`, () => {
    it("draws floats in [0, 1) that spread over the range", () => {
      const random = open();
      const draws = Array.from({ length: 10_000 }, () => random.next());
      assert.ok(draws.every((value) => value >= 0 && value < 1));
      const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
      assert.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
    });

    it("gives as many bytes as asked, all values, also beyond 64 KiB", () => {
      const random = open();
      assert.equal(random.bytes(0).length, 0);
      const many = random.bytes(200_000);
      assert.equal(many.length, 200_000);
      assert.equal(new Set(many).size, 256);
      assert.equal(new Set(many.subarray(140_000)).size, 256);
    });

    it("gives version 4 UUIDs that do not repeat", () => {
      const random = open();
      const ids = Array.from({ length: 1_000 }, () => random.uuid());
      const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
      assert.ok(ids.every((id) => form.test(id)));
      assert.equal(new Set(ids).size, ids.length);
    });
  });
}
