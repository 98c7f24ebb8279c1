import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { root } from "./root.ts";

/** A runtime that the tests run on, and how it runs one file of them. */
export interface Runtime {
  /** `node`, `node24`, `deno` or `bun`. */
  name: string;
  /** What the closing line says, like `node 20.20.2`. */
  label: string;
  binary: string;
  /** Command line that tests `file` and writes a JUnit report to `report`. */
  args(file: string, report: string): string[];
  /** Outer levels of the report that only name the file. */
  reportRoots: number;
}

type Recipe = Omit<Runtime, "label" | "binary"> & {
  candidates(): string[];
  /** The runtime's name as its version is printed. */
  shown: string;
  accepts?(version: string): boolean;
};

const inModules = (path: string): string => join(root, "node_modules", path);
const onPath = (name: string): string[] =>
  (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));

const nodeArgs = (file: string, report: string): string[] => [
  ...["--import", "tsx", "--enable-source-maps"],
  ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
  ...["--test-reporter=junit", `--test-reporter-destination=${report}`],
  file,
];
const node24 = `test/tools/node24/node_modules/node-${process.platform}-${process.arch}/bin/node`;

const recipes: readonly Recipe[] = [
  { name: "node", shown: "node", candidates: () => onPath("node"), args: nodeArgs, reportRoots: 0 },
  {
    name: "node24",
    shown: "node",
    candidates: () => [join(root, node24)],
    args: nodeArgs,
    reportRoots: 0,
  },
  {
    name: "deno",
    shown: "deno",
    candidates: () => [inModules(".bin/deno"), ...onPath("deno")],
    args: (file, report) => ["test", "-A", "--no-check", `--junit-path=${report}`, file],
    reportRoots: 1,
  },
  {
    name: "bun",
    shown: "bun",
    candidates: () => [
      inModules(".bin/bun"),
      inModules(`@oven/bun-${process.platform}-${process.arch}/bin/bun`),
      ...onPath("bun"),
    ],
    args: (file, report) => [
      ...["test", "--timeout=120000", "--reporter=junit", `--reporter-outfile=${report}`],
      `./${file}`,
    ],
    reportRoots: 1,
  },
];

/** Names of all runtimes, in the order that they are tested in. */
export const runtimeNames: readonly string[] = recipes.map((recipe) => recipe.name);

/** Finds a runtime, or tells how to get it. */
export function findRuntime(name: string): Runtime | { missing: string } {
  const recipe = recipes.find((one) => one.name === name);
  if (!recipe) throw new RangeError(`No runtime ${name}: name one of ${runtimeNames.join(", ")}.`);
  for (const binary of recipe.candidates()) {
    const version = versionOf(binary);
    // `bun run` puts itself on the path under the name of Node.
    if (version?.name === recipe.shown) {
      return { ...recipe, binary, label: `${recipe.shown} ${version.number}` };
    }
  }
  return { missing: advice[name] ?? `${name} is not on the path` };
}

const advice: Record<string, string> = {
  node24: "node 24: not here, so not tested; `npm ci --prefix test/tools/node24` brings it",
  deno: "deno is missing: run `npm ci`",
  bun: "bun is missing: run `npm ci`, or `node node_modules/bun/install.js` if scripts are blocked",
};

const versionScript =
  "const v = process.versions; const n = v.deno ? 'deno' : v.bun ? 'bun' : 'node';" +
  "console.log(n, v[n])";

function versionOf(binary: string): { name: string; number: string } | undefined {
  const how = /deno(\.exe)?$/.test(binary) ? ["eval", versionScript] : ["-e", versionScript];
  try {
    const said = execFileSync(binary, how, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [name = "", number = ""] = said.trim().split(" ");
    return { name, number };
  } catch {
    return undefined;
  }
}
