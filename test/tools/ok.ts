/**
 * `npm run ok -- [--skip NAME,…] [--only NAME,…]`: everything that a commit must pass, in the
 * order of its price. Goes on after a failure and ends with what failed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brokenExamples } from "./examples.ts";
import { differences, readManifests } from "./exports.ts";
import { staleFiles } from "./gen_check.ts";
import { root } from "./root.ts";
import { findRuntime } from "./runtimes.ts";

process.chdir(root);
const scratch = mkdtempSync(join(tmpdir(), "roost-ok-"));
const results = join(scratch, "results.json");

/** Whether a command of the repository's own tools succeeds. */
function tool(name: string, ...args: string[]): boolean {
  const { status } = spawnSync(join("node_modules", ".bin", name), args, { stdio: "inherit" });
  return status === 0;
}

/** Whether a script of this folder succeeds, on Node whatever runs us. */
function script(file: string, ...args: string[]): boolean {
  const node = findRuntime("node");
  if ("missing" in node) return nothing([node.missing]);
  const words = ["--import", "tsx", join("test/tools", file), ...args];
  return spawnSync(node.binary, words, { stdio: "inherit" }).status === 0;
}

/** Whether a list of complaints is empty; prints it if not. */
function nothing(complaints: readonly string[]): boolean {
  for (const complaint of complaints) console.log(complaint);
  return complaints.length === 0;
}

const sources = ["src", "transports", "adapters", "test", "examples"].filter((one) =>
  existsSync(one),
);
const steps: Record<string, () => boolean> = {
  format: () => tool("biome", "format", "."),
  lint: () => tool("biome", "lint", "--error-on-warnings", "."),
  types: () => tool("tsc", "-p", ".") && tool("tsc", "-p", "tsconfig.build.json", "--noEmit"),
  deno: () => tool("deno", "check", "--quiet", ...sources),
  exports: () => nothing(differences(readManifests())),
  gen: () => nothing(staleFiles().map((file) => `${file} differs: run npm run gen`)),
  tests: () => script("run.ts", "--json", results),
  examples: () => nothing(brokenExamples()),
  acceptance: () => script("acceptance.ts", "--from", results),
};

function chosen(): string[] {
  const { values } = parseArgs({ options: { skip: { type: "string" }, only: { type: "string" } } });
  const listed = (text: string | undefined): string[] => text?.split(",") ?? [];
  const unknown = [...listed(values.skip), ...listed(values.only)].find((name) => !steps[name]);
  if (unknown)
    throw new RangeError(`No step ${unknown}: name some of ${Object.keys(steps).join()}.`);
  const only = values.only ? listed(values.only) : Object.keys(steps);
  return only.filter((name) => !listed(values.skip).includes(name));
}

function passes(name: string): boolean {
  console.log(`\n── ${name}`);
  try {
    return steps[name]?.() ?? false;
  } catch (error) {
    console.error(error);
    return false;
  }
}

const failed = chosen().filter((name) => !passes(name));
rmSync(scratch, { recursive: true, force: true });
console.log(failed.length > 0 ? `\nnot ok: ${failed.join(", ")}` : "\nok");
process.exit(failed.length > 0 ? 1 : 0);
