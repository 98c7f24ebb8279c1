/** Part of `npm run gen`: puts the script that every script guest begins with into one module of text, `src/guest/script/prelude_text.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./root.ts";

const folder = join(root, "src/guest/script");
const { outputFiles } = await build({
  entryPoints: [join(folder, "prelude/main.ts")],
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  write: false,
  format: "iife",
  globalName: "prelude",
  platform: "neutral",
  target: "es2023",
});
const script = outputFiles[0]?.text.trim() ?? "";
const text = [
  "// Made by `npm run gen` from prelude/; not to be edited.",
  "",
  "/** An expression of JavaScript: the function that begins a guest. */",
  `export const preludeText: string = ${JSON.stringify(`(function(){"use strict";${script}return prelude.default})()`)};`,
  "",
];
writeFileSync(join(folder, "prelude_text.ts"), text.join("\n"));
