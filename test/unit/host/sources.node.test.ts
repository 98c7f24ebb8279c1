import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSources } from "../../tools/sources.ts";

const production = readSources(["src", "transports", "adapters"]);
const host = production.filter(({ path }) => path.startsWith("src/host/"));

const exported = /^export (?:async )?(?:class|function\*?|const|interface|type) (\w+)/gm;
const member = /^ {2}(?:(?:get|set|async|override) )*\*?(\w+)(?:<[^(]*>)?\(/gm;

function uses(name: string, texts: readonly string[]): number {
  const word = new RegExp(`\\b${name}\\b`, "g");
  return texts.reduce((count, text) => count + (text.match(word)?.length ?? 0), 0);
}

/** Names that a file gives and production takes nowhere. */
function unused(pattern: RegExp): string[] {
  const texts = production.map(({ text }) => text);
  return host.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "constructor" && uses(name, texts) < 2)
      .map((name) => `${path}: ${name}`),
  );
}

describe("the sources of the actor host", () => {
  it("[HD-31] behave the same in every build: none asks what build it is in, or asserts for some only", () => {
    const builds = /\b(NODE_ENV|__DEV__|import\.meta\.env|console\.assert|debugger)\b|\bassert\(/;
    const found = production.filter(
      ({ path, text }) => !path.startsWith("src/cli/") && builds.test(text),
    );
    assert.deepEqual(
      found.map(({ path }) => path),
      [],
    );
  });

  it("[HD-32] have nothing that only tests use: these come in by the ports", () => {
    assert.deepEqual(unused(exported), []);
    // Traps of a proxy are called by the language.
    const traps = /: (setPrototypeOf|preventExtensions)$/;
    assert.deepEqual(
      unused(member).filter((each) => !traps.test(each)),
      [],
    );
    const runners = /node:test|\b(NODE_TEST_CONTEXT|DENO_TEST|forTests?|testOnly)\b/;
    assert.deepEqual(
      host.filter(({ text }) => runners.test(text)).map(({ path }) => path),
      [],
    );
  });
});
