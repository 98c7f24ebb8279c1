/** Part of `npm run gen`: puts the inspector's page into one module of text, `src/http/inspector/page_text.ts`. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, transform } from "esbuild";
import { root } from "./root.ts";

const folder = join(root, "src/http/inspector");
/** What the text may have at most, bytes: it is in every node's memory. */
const maxBytes = 60_000;

function read(name: string): string {
  return readFileSync(join(folder, "page", name), "utf8");
}

async function script(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "page/main.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
  });
  return outputFiles[0]?.text.trim() ?? "";
}

async function style(): Promise<string> {
  const { code } = await transform(read("page.css"), { loader: "css", minify: true });
  return code.trim();
}

/** What a policy calls a text that stands in the page. */
function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const [js, css] = [await script(), await style()];
if (/<\/(script|style)/i.test(js + css)) throw new Error("the page's script would end its element");
const html = read("index.html")
  .replace(/>\n</g, "><")
  .replace("/*style*/", () => css)
  .replace("/*script*/", () => js);
const bytes = Buffer.byteLength(html);
if (bytes > maxBytes) throw new Error(`the page has ${bytes} bytes; ${maxBytes} are allowed`);
const text = [
  "// Made by `npm run gen` from page/; not to be edited.",
  "",
  "/** The inspector's page: HTML with its style and its script. */",
  `export const pageText: string = ${JSON.stringify(html)};`,
  "",
  "/** Hashes of its script and its style, for its policy. */",
  `export const pageHashes: { readonly script: string; readonly style: string } = ${JSON.stringify({ script: hash(js), style: hash(css) })};`,
  "",
];
writeFileSync(join(folder, "page_text.ts"), text.join("\n"));
