import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

/** One file of our own, by its path below the project's folder. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Our own TypeScript below `folders`; what is generated is left out. */
export function readSources(folders: readonly string[]): Source[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
        .filter((path) => path.endsWith(".ts") && !/\/(gen|node_modules)\//.test(path))
        .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })),
    );
}
