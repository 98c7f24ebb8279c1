/** Checks that npm and JSR offer the same: names, versions and entry points of both manifests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

type Entries = Record<string, string | Record<string, string>>;

/** The manifests, as far as they are compared. */
export interface Manifests {
  npm: { name: string; version: string; exports: Entries; imports: Record<string, string> };
  jsr: {
    name: string;
    version: string;
    exports: Record<string, string>;
    imports: Record<string, string>;
  };
  paths: Record<string, string[]>;
}

/** Entry points that browsers have too, and what they are there. JSR knows no conditions: pages import what npm brings. */
const pages: Readonly<Record<string, string>> = { "./client": "./adapters/browser/client.ts" };

const compiled = (source: string, extension: string): string =>
  source.replace("./", "./dist/").replace(/\.ts$/, extension);

/** Every difference, one line each; none if all is well. */
export function differences({ npm, jsr, paths }: Manifests): string[] {
  const found: string[] = [];
  const same = (what: string, left: unknown, right: unknown): void => {
    if (left !== right) found.push(`${what}: ${left} is not ${right}`);
  };
  same("name", npm.name, jsr.name);
  same("version", npm.version, jsr.version);
  const names = Object.keys(npm.exports).filter((name) => name !== "./package.json");
  same("entry points", names.sort().join(" "), Object.keys(jsr.exports).sort().join(" "));
  for (const [name, source] of Object.entries(jsr.exports)) {
    const entry = npm.exports[name];
    const targets = typeof entry === "object" ? entry : {};
    same(`types of ${name}`, targets["types"], compiled(source, ".d.ts"));
    same(`code of ${name}`, targets["default"], compiled(source, ".js"));
    const page = pages[name];
    same(`code for browsers of ${name}`, targets["browser"], page && compiled(page, ".js"));
    const specifier = `${jsr.name}${name.slice(1)}`;
    same(`deno.json import ${specifier}`, jsr.imports[specifier], source);
    same(`tsconfig path ${specifier}`, paths[specifier]?.[0], source);
  }
  for (const [name, source] of Object.entries(npm.imports)) {
    // Deno may take the original from JSR.
    if (!jsr.imports[name]?.startsWith("jsr:")) same(name, jsr.imports[name], source);
  }
  return found;
}

/** Reads the manifests of this repository. */
export function readManifests(): Manifests {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), "utf8"));
  const { compilerOptions } = read("tsconfig.json") as {
    compilerOptions: Pick<Manifests, "paths">;
  };
  return {
    npm: read("package.json") as Manifests["npm"],
    jsr: read("deno.json") as Manifests["jsr"],
    paths: compilerOptions.paths,
  };
}
