/** Makes one script of the guest and of all that it imports. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

await build({
  entryPoints: [here("guest.ts")],
  outfile: here("dist/guest.js"),
  bundle: true,
  minify: true,
  format: "iife",
  platform: "neutral",
  target: "es2023",
});
