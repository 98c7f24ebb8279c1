import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { root } from "./root.ts";

const copied = [
  "package.json",
  "tsconfig.json",
  "buf.yaml",
  "buf.gen.yaml",
  "src",
  "examples",
  "test",
];

/** Runs `npm run gen` in a copy of the repository and names the generated files that differ. */
export function staleFiles(): string[] {
  const copy = mkdtempSync(join(tmpdir(), "roost-gen-"));
  try {
    for (const name of readdirSync(root).filter((one) => copied.includes(one))) {
      cpSync(join(root, name), join(copy, name), {
        recursive: true,
        filter: (path) => !path.split(sep).includes("node_modules"),
      });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const file of generatedFiles(copy)) rmSync(join(copy, file));
    execFileSync("npm", ["run", "--silent", "gen"], { cwd: copy, stdio: "inherit" });
    return differing(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function differing(copy: string): string[] {
  const files = new Set([...generatedFiles(root), ...generatedFiles(copy)]);
  return [...files].filter((file) => read(join(root, file)) !== read(join(copy, file))).sort();
}

/** Texts that are made of other files: the inspector's page and the beginning of script guests. */
const texts = ["inspector/page_text.ts", "script/prelude_text.ts"];

/** What protoc-gen-es wrote, which alone names files so, and the texts. */
function generatedFiles(top: string): string[] {
  return ["src", "examples", "test"]
    .filter((part) => existsSync(join(top, part)))
    .flatMap((part) =>
      readdirSync(join(top, part), { recursive: true, encoding: "utf8" }).map((path) =>
        join(part, path),
      ),
    )
    .filter((path) => path.endsWith("_pb.ts") || texts.some((text) => path.endsWith(text)));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
