import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./root.ts";

/** The part of jco's tools that makes components of text. */
interface WasmTools {
  parse(text: string): Promise<Uint8Array>;
  componentEmbed(options: {
    binary: Uint8Array;
    witSource: string;
    world: string;
    stringEncoding: "utf8";
  }): Promise<Uint8Array>;
  componentNew(core: Uint8Array, adapters: [string, Uint8Array][]): Promise<Uint8Array>;
}

const sources = join(root, "test/fixtures/guests");
const world = join(root, "src/guest/wit/actr-workload.wit");
const tools = "test/tools/jco/node_modules/@bytecodealliance/jco-transpile/dist/wasm-tools.js";

/** Names of the components that have a source. */
export function guestNames(): string[] {
  return readdirSync(sources)
    .filter((file) => file.endsWith(".wat"))
    .map((file) => file.slice(0, -".wat".length));
}

/** The component of `test/fixtures/guests/<name>.wat`; needs `npm install --no-save --prefix test/tools/jco`. */
export async function buildGuest(name: string): Promise<Uint8Array> {
  const { parse, componentEmbed, componentNew }: WasmTools = await import(
    pathToFileURL(join(root, tools)).href
  );
  const core = await parse(readFileSync(join(sources, `${name}.wat`), "utf8"));
  const embedded = await componentEmbed({
    binary: core,
    ...worldOf(name),
    stringEncoding: "utf8",
  });
  return componentNew(embedded, []);
}

/** The world of a guest: with more imports, where a WIT file of its name says which. */
function worldOf(name: string): { witSource: string; world: string } {
  const text = readFileSync(world, "utf8");
  const more = join(sources, `${name}.wit`);
  if (!existsSync(more)) return { witSource: text, world: "actr-workload-guest-v2" };
  const witSource = text + readFileSync(more, "utf8");
  return { witSource, world: `actr-workload-guest-v2-with-${name}` };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const name of guestNames()) {
    writeFileSync(join(sources, `${name}.wasm`), await buildGuest(name));
  }
}
