/**
 * `npm run acceptance -- [--json] [--from FILE]`: which numbered lines of the specifications a
 * passing test asserts. Runs all tests unless FILE has their results (`npm test -- --json FILE`).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import totals from "./acceptance_ids.json" with { type: "json" };
import {
  type DocumentReport,
  provenIds,
  reportDocuments,
  unknownIds,
} from "./acceptance_report.ts";
import type { TestResult } from "./junit.ts";
import { root } from "./root.ts";
import { findRuntime } from "./runtimes.ts";

/** `file.key` for every list or record at the top of a vector file; plain texts there are remarks. */
function vectorNames(): string[] {
  const folder = join(root, "test/vectors");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const entries: Record<string, unknown> = JSON.parse(readFileSync(join(folder, file), "utf8"));
      const keys = Object.keys(entries).filter((key) => typeof entries[key] === "object");
      return keys.map((key) => `${basename(file, ".json")}.${key}`);
    });
}

function runTests(): TestResult[] {
  const folder = mkdtempSync(join(tmpdir(), "roost-acceptance-"));
  try {
    const file = join(folder, "results.json");
    const node = findRuntime("node");
    if ("missing" in node) throw new Error(node.missing);
    const args = ["--import", "tsx", join(root, "test/tools/run.ts"), "--json", file];
    // Its progress goes to standard error, so that standard output is the report alone.
    spawnSync(node.binary, args, { cwd: root, stdio: ["ignore", 2, 2] });
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Shortens runs: `1–3, 7`. */
function spans(missing: readonly (number | string)[]): string {
  const parts: string[] = [];
  for (let first = 0; first < missing.length; ) {
    let last = first;
    while (Number(missing[last + 1]) === Number(missing[last]) + 1) last++;
    parts.push(last > first ? `${missing[first]}–${missing[last]}` : `${missing[first]}`);
    first = last + 1;
  }
  return parts.join(", ");
}

function print(report: Record<string, DocumentReport>): void {
  for (const [document, { total, proven, missing }] of Object.entries(report)) {
    console.log(`${document.padEnd(3)} ${proven} of ${total} proven`);
    if (missing.length > 0) console.log(`    missing: ${spans(missing)}`);
  }
}

const { values } = parseArgs({ options: { json: { type: "boolean" }, from: { type: "string" } } });
const results: TestResult[] = values.from
  ? JSON.parse(readFileSync(values.from, "utf8"))
  : runTests();
const vectors = vectorNames();
const report = reportDocuments(provenIds(results), totals, vectors);
if (values.json) console.log(JSON.stringify(report));
else print(report);
const unknown = unknownIds(results, totals, vectors);
if (unknown.length > 0) console.error(`No specification has: ${unknown.join(", ")}`);
process.exit(unknown.length > 0 ? 1 : 0);
