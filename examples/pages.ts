import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Makes the script of the page beside `example` (its `import.meta.url`) with esbuild; the result answers with the page and the script. */
export async function pages(example: string): Promise<(request: Request) => Promise<Response>> {
  const script = await bundle(new URL("page/page.ts", example));
  return async ({ url }) => {
    switch (new URL(url).pathname) {
      case "/":
        return file("text/html", await readFile(new URL("page/index.html", example)));
      case "/page.js":
        return file("text/javascript", script);
      default:
        return new Response("not found", { status: 404 });
    }
  };
}

function file(type: string, body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
}

async function bundle(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}
