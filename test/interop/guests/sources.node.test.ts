import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildGuest, guestNames } from "../../tools/guests.ts";
import { root } from "../../tools/root.ts";

const isBuildable = existsSync(join(root, "test/tools/jco/node_modules"));
const skip = isBuildable ? false : "jco is not here: npm install --no-save --prefix test/tools/jco";

describe("components for tests", { skip }, () => {
  for (const name of guestNames()) {
    it(`${name}.wasm is what ${name}.wat says`, { timeout: 60_000 }, async () => {
      const stored = readFileSync(join(root, `test/fixtures/guests/${name}.wasm`));
      const built = Buffer.from(await buildGuest(name));
      assert.ok(stored.equals(built), "run: npx tsx test/tools/guests.ts");
    });
  }
});
