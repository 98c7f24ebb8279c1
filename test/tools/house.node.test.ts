import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSources } from "./sources.ts";

/** Lines of our own sources below `folders` that match, as `file:line: text`. */
function lines(folders: readonly string[], pattern: RegExp): string[] {
  return readSources(folders).flatMap(({ path, text }) =>
    text
      .split("\n")
      .map((line, index) => `${path}:${index + 1}: ${line.trim()}`)
      .filter((line) => pattern.test(line.slice(path.length))),
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
