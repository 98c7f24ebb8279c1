import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { root } from "./root.ts";

/** Lines of our own sources below `folders` that match, as `file:line: text`. */
function lines(folders: readonly string[], pattern: RegExp): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
        .filter((path) => path.endsWith(".ts") && !/\/(gen|node_modules)\//.test(path))
        .flatMap((path) =>
          readFileSync(join(root, path), "utf8")
            .split("\n")
            .map((text, index) => `${path}:${index + 1}: ${text.trim()}`)
            .filter((line) => pattern.test(line.slice(path.length))),
        ),
    );
}

/** What the linter cannot see. */
describe("sources", () => {
  it("take time and chance from the ports", () => {
    const hidden = /\b(Date\.now|Math\.random|AbortSignal\.timeout)\b|new Date\(\)/;
    const found = lines(["src", "transports"], hidden).filter(
      (line) => !line.startsWith("src/async.ts") && !/: (\*|\/\/)/.test(line),
    );
    assert.deepEqual(found, []);
  });

  it("switch a rule off only with a reason beside it", () => {
    const off = /(biome-ignore(?! \S+: \S)|@ts-(ignore|nocheck|expect-error)$)/;
    assert.deepEqual(lines(["src", "transports", "adapters", "examples"], off), []);
  });

  it("hold no promises about later", () => {
    assert.deepEqual(
      lines(["src", "transports", "adapters", "examples"], /\b(TODO|FIXME|XXX)\b/),
      [],
    );
  });
});
