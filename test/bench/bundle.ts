import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../tools/root.ts";

let folder: string | undefined;
const made = new Map<string, Promise<string>>();

/**
 * The path of a script of the benchmarks as `npm run build` makes the package: few files, and no compiler that adds code
 * to what it loads, as `tsx` does to name each closure. They are gone when this process ends.
 */
export function bundled(script: string): Promise<string> {
  const known = made.get(script) ?? bundle(script);
  made.set(script, known);
  return known;
}

async function bundle(script: string): Promise<string> {
  const { build } = await import("esbuild");
  folder ??= newFolder();
  const outdir = join(folder, script.replaceAll("/", "_"));
  await build({
    entryPoints: { main: join(root, "test/bench", script) },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  return join(outdir, "main.mjs");
}

/** Where the packages of this one are found. */
function newFolder(): string {
  const made = mkdtempSync(join(root, "node_modules", ".roost-bench-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}
