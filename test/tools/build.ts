/** `npm run build`: makes `dist/`, which is what the package holds, and checks that it is whole. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { root } from "./root.ts";

process.chdir(root);
/** Files that are run as threads, so that they need a place of their own. */
const threads = ["dist/adapters/sql/worker_thread.js", "dist/adapters/guest/thread_main.js"];
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** Files that pages load. */
const pageFolder = "adapters/browser/";

/** The module that a file of `dist/` is made of, without its ending. */
function sourceOf(file: string): string {
  return /dist\/(.+)\.js$/.exec(file)?.[1] ?? file;
}

/** All files that the manifest promises to users. */
function promised(): string[] {
  const entries = Object.values<string | Record<string, string>>(manifest.exports);
  const files = entries.flatMap((entry) =>
    typeof entry === "string" ? entry : Object.values(entry),
  );
  return [...files, ...Object.values<string>(manifest.bin)];
}

/** Writes the declarations; ends with what the compiler found wrong. */
function declare(): void {
  rmSync("dist", { recursive: true, force: true });
  const compiler = join("node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync("node", [compiler, "-p", "tsconfig.build.json"], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
}

/**
 * Puts the modules of all entry points into few files with source maps, since three hundred small ones take three
 * times as long to load. What is imported on demand stays in files of its own; dependencies stay packages.
 */
async function bundle(): Promise<void> {
  const entries = [...promised(), ...threads]
    .filter((file) => file.endsWith(".js") && !file.includes(pageFolder))
    .map(sourceOf);
  await build({
    entryPoints: Object.fromEntries(entries.map((entry) => [entry, `${entry}.ts`])),
    outdir: "dist",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
  });
}

/** Leaves the host of actors out of what pages load. */
const withoutActorHost: Plugin = {
  name: "without-actor-host",
  setup({ onResolve }) {
    onResolve({ filter: /\/host\/actor_(host|service)\.ts$/ }, () => ({
      path: join(root, pageFolder, "no_actor_host.ts"),
    }));
  },
};

/** Puts what pages import into one file each, dependencies in it, so that a script tag can load it as it is. */
async function bundleForPages(): Promise<void> {
  for (const file of promised().filter((each) => each.includes(pageFolder))) {
    await build({
      entryPoints: [`${sourceOf(file)}.ts`],
      outfile: file,
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      target: ["chrome116", "firefox124", "safari17.4"],
      plugins: [withoutActorHost],
      sourcemap: true,
      logLevel: "warning",
    });
    const code = readFileSync(file);
    const kilobytes = [code, gzipSync(code)].map(({ length }) => Math.round(length / 1_000));
    console.log(`${file}: ${kilobytes[0]} kB, compressed ${kilobytes[1]} kB`);
  }
}

declare();
await bundle();
await bundleForPages();
const absent = promised().filter((file) => !existsSync(file));
if (absent.length > 0) throw new Error(`The build lacks ${absent.join(", ")}`);
for (const command of Object.values<string>(manifest.bin)) {
  if (!readFileSync(command, "utf8").startsWith("#!"))
    throw new Error(`${command} lacks a #! line`);
  chmodSync(command, 0o755);
}
