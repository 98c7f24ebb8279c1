import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findRuntime, type Runtime } from "./runtimes.ts";

/** Loads every example's `app.ts` on every runtime; one line for each that fails. */
export function brokenExamples(): string[] {
  const complaints: string[] = [];
  for (const name of ["node", "deno", "bun"]) {
    const runtime = findRuntime(name);
    if ("missing" in runtime) complaints.push(runtime.missing);
    else complaints.push(...apps().flatMap((app) => load(runtime, app)));
  }
  return complaints;
}

function apps(): string[] {
  const all = readdirSync("examples").map((name) => join("examples", name, "app.ts"));
  return all.filter((file) => existsSync(file));
}

function load(runtime: Runtime, app: string): string[] {
  const script = `import("./${app}").then((m) => { if (!m.app && !m.default) throw new Error("exports no app"); })`;
  const evaluate: Record<string, string[]> = {
    node: ["--import", "tsx", "-e", script],
    deno: ["eval", script],
    bun: ["-e", script],
  };
  const { status, stderr } = spawnSync(runtime.binary, evaluate[runtime.name] ?? [], {
    encoding: "utf8",
    timeout: 30_000,
  });
  return status === 0 ? [] : [`${app} on ${runtime.label}: ${stderr}`];
}
