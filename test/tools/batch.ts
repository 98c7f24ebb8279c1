/** Imports the test files that the environment names, each behind a mark that tells which tests are its own. */
import { it } from "node:test";
import { pathToFileURL } from "node:url";
import { batchVariable, fileMark } from "./junit.ts";

for (const file of (process.env[batchVariable] ?? "").split(",")) {
  it(`${fileMark}${file}`, () => {});
  await import(pathToFileURL(file).href);
}
