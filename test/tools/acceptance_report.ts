import type { TestResult } from "./junit.ts";

/** What is proven of one document. */
export interface DocumentReport {
  total: number;
  proven: number;
  /** Numbers of the lines, or names of the vectors, that no passing test asserts. */
  missing: (number | string)[];
}

/** Ids in a title: `N-12`, `ND-3`, `V-protocol.ids`; leading noughts do not count. */
export function idsIn(title: string): string[] {
  const numbered = [...title.matchAll(/\[([A-Z]+)-0*(\d+)\]/g)].map((m) => `${m[1]}-${m[2]}`);
  const vectors = [...title.matchAll(/\[(V-[\w.-]+)\]/g)].map((m) => `${m[1]}`);
  return [...numbered, ...vectors];
}

/** The ids with at least one test that passed wherever it ran. */
export function provenIds(results: readonly TestResult[]): Set<string> {
  const failed = results.filter((one) => one.status === "failed");
  const proven = new Set<string>();
  for (const test of byTest(results.filter((one) => idsIn(one.name).length > 0))) {
    if (!passes(test) || failed.some((one) => covers(one, test))) continue;
    for (const id of idsIn(test.name)) proven.add(id);
  }
  return proven;
}

/** The same test on all runtimes. */
interface Test {
  file: string;
  name: string;
  results: TestResult[];
}

function byTest(results: readonly TestResult[]): Iterable<Test> {
  const tests = new Map<string, Test>();
  for (const one of results) {
    const key = `${one.file}\n${one.name}`;
    const test = tests.get(key) ?? { file: one.file, name: one.name, results: [] };
    test.results.push(one);
    tests.set(key, test);
  }
  return tests.values();
}

/** Deno reports a test that skips itself as passed, so its word alone counts only in its own files. */
function passes({ file, results }: Test): boolean {
  const own = file.endsWith(".deno.test.ts");
  return results.some((one) => one.status === "passed" && (own || one.runtime !== "deno"));
}

/** Bun reports a failed part as a failure of the whole: it speaks against every part. */
function covers(failure: TestResult, test: Test): boolean {
  const whole = failure.name === "(process)";
  const outer = test.name === failure.name || test.name.startsWith(`${failure.name} > `);
  return failure.file === test.file && (whole || outer);
}

/** Reports every document; `vectors` are the names of all vector entries. */
export function reportDocuments(
  proven: ReadonlySet<string>,
  totals: Readonly<Record<string, number>>,
  vectors: readonly string[],
): Record<string, DocumentReport> {
  const report: Record<string, DocumentReport> = {};
  const add = (document: string, ids: readonly (number | string)[]): void => {
    const missing = ids.filter((id) => !proven.has(`${document}-${id}`));
    report[document] = { total: ids.length, proven: ids.length - missing.length, missing };
  };
  for (const [document, total] of Object.entries(totals)) {
    add(
      document,
      Array.from({ length: total }, (_, index) => index + 1),
    );
  }
  add("V", vectors);
  return report;
}

/** Ids in titles that no document has: misprints. */
export function unknownIds(
  results: readonly TestResult[],
  totals: Readonly<Record<string, number>>,
  vectors: readonly string[],
): string[] {
  const ids = new Set(results.flatMap((one) => idsIn(one.name)));
  const known = (id: string): boolean => {
    const [document = "", rest = ""] = [
      id.slice(0, id.indexOf("-")),
      id.slice(id.indexOf("-") + 1),
    ];
    if (document === "V") return vectors.includes(rest);
    return Number(rest) >= 1 && Number(rest) <= (totals[document] ?? 0);
  };
  return [...ids].filter((id) => !known(id)).sort();
}
