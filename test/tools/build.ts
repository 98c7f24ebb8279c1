/** `npm run build`: compiles what the package holds into `dist/` and checks that it is whole. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

process.chdir(root);
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** Compiles with declarations and source maps; ends with what the compiler found wrong. */
function compile(): void {
  rmSync("dist", { recursive: true, force: true });
  const compiler = join("node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync("node", [compiler, "-p", "tsconfig.build.json"], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
}

/**
 * Makes `dist/` a scope of its own, in which `#async` is the compiled module: every runtime looks
 * for it in the nearest manifest. Name and version stay, for code that reads them from there.
 */
function writeScope(): void {
  const { name, version, type } = manifest;
  const scope = { name, version, type, imports: { "#async": "./src/async.js" } };
  writeFileSync("dist/package.json", `${JSON.stringify(scope, null, 2)}\n`);
}

/** All files that the manifest promises to users. */
function promised(): string[] {
  const entries = Object.values<string | Record<string, string>>(manifest.exports);
  const files = entries.flatMap((entry) =>
    typeof entry === "string" ? entry : Object.values(entry),
  );
  return [...files, ...Object.values<string>(manifest.bin)];
}

compile();
writeScope();
const absent = promised().filter((file) => !existsSync(file));
if (absent.length > 0) throw new Error(`The build lacks ${absent.join(", ")}`);
for (const command of Object.values<string>(manifest.bin)) {
  if (!readFileSync(command, "utf8").startsWith("#!"))
    throw new Error(`${command} lacks a #! line`);
  chmodSync(command, 0o755);
}
