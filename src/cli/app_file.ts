import { existsSync, statSync } from "node:fs";
import { register as addHooks } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import { oneLine } from "./failure.ts";
import { Misuse } from "./misuse.ts";

/** What an app is called in its folder. */
const usualNames = ["app.ts", "app.js", "app.mjs", "app.mts"];

/** The file that `argument`, a file or its folder, means. @throws Misuse when there is none. */
export function findApp(argument: string, cwd: string): string {
  const path = resolve(cwd, argument);
  if (!existsSync(path)) throw new Misuse(`there is no ${argument}; name the file of an app`);
  if (!statSync(path).isDirectory()) return path;
  const file = usualNames.map((name) => join(path, name)).find((each) => existsSync(each));
  if (file !== undefined) return file;
  throw new Misuse(`${argument} holds no app: expected one of ${usualNames.join(", ")} in it`);
}

/** The node that a file defines: its export `app`, or its default one. @throws ActrError `config` when it cannot be loaded or exports none. */
export async function loadApp(file: string): Promise<NodeDefinition> {
  await understandTypeScript(file);
  let module: { readonly app?: unknown; readonly default?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new ActrError("config", `cannot load ${file}: ${reasonOf(error, file)}`, {
      cause: error,
    });
  }
  const app = module.app ?? module.default;
  if (isNode(app)) return app;
  throw new ActrError(
    "config",
    `${file} exports no node; write export const app = defineNode({ … })`,
  );
}

function isNode(value: unknown): value is NodeDefinition {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "node";
}

/** A hook of Node's that has TypeScript be modules, as it is on Deno and Bun, also where no package.json says so. */
const asModules = `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const script = found.format === "commonjs" && /\\.ts(\\?|$)/.test(found.url);
  return script ? { ...found, format: "module" } : found;
}`;

/** Plain Node reads no TypeScript of a user; from its sources Roost runs under tsx already. */
async function understandTypeScript(file: string): Promise<void> {
  const plainNode = !("deno" in process.versions) && !("bun" in process.versions);
  if (!plainNode || !/ts$/.test(file) || import.meta.url.endsWith(".ts")) return;
  const { register } = await import("tsx/esm/api");
  register();
  addHooks(`data:text/javascript,${encodeURIComponent(asModules)}`);
}

/** What went wrong, and where in the file as far as the stack tells. */
function reasonOf(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => line.includes(`${file}:`));
  const where =
    place !== undefined && !error.message.includes(`${file}:`) ? ` (${place.trim()})` : "";
  return oneLine(error.message) + where;
}
