import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import { serve, silentLogger } from "../../adapters/node/mod.ts";
import { app } from "../../examples/echo/app.ts";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { freePort } from "../fixtures/ports.ts";
import { root } from "../tools/root.ts";
import { findRuntime } from "../tools/runtimes.ts";

const scratch = mkdtempSync(join(tmpdir(), "roost-package-"));
const copy = join(scratch, "copy");
const home = join(scratch, "home");
const command = join(home, "node_modules/@roost/edge/dist/src/cli/main.js");

/** The runtimes that a user may have, none of them helped by tsx. */
const runtimes: Record<string, { binary: string; args: string[] }> = {
  node: { binary: process.execPath, args: [] },
  deno: { binary: binaryOf("deno"), args: ["run", "-A"] },
  bun: { binary: binaryOf("bun"), args: [] },
};

/** Entry points that every runtime has, and their sources. */
const shared = {
  "": "src/mod.ts",
  "/client": "adapters/client.ts",
  "/guest": "src/guest/script/author.ts",
  "/testing": "adapters/memory/mod.ts",
  "/node-datachannel": "adapters/node_datachannel/mod.ts",
  "/conformance": "test/conformance/mod.ts",
};

function binaryOf(name: string): string {
  const found = findRuntime(name);
  if ("missing" in found) throw new Error(found.missing);
  return found.binary;
}

function run(name: string, ...words: string[]): string {
  const { binary = "", args = [] } = runtimes[name] ?? {};
  return execFileSync(binary, [...args, ...words], {
    cwd: home,
    encoding: "utf8",
    timeout: 180_000,
  });
}

function npm(cwd: string, ...words: string[]): void {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", [...words, ...quiet], { cwd, stdio: "inherit" });
}

/** Asks until the answer is 200 or the time is over. */
async function answers(url: string, withinMs: number): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (Date.now() < end) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** What the package is built from. */
const sources = [
  ...["src", "transports", "adapters", "test", "package.json", "tsconfig.json"],
  ...["tsconfig.build.json", "README.md", "CHANGELOG.md", "LICENSE"],
];

/** Copies the sources, so that building disturbs nobody who works in the repository. */
function copySources(): void {
  mkdirSync(copy);
  for (const name of sources.filter((each) => existsSync(join(root, each)))) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !path.endsWith("node_modules"),
    });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}

/** The echo example as a user of the package has it: in TypeScript, and compiled. */
function placeExample(): void {
  cpSync(join(root, "examples/echo"), join(home, "echo"), {
    recursive: true,
    filter: (path) => !path.endsWith(".roost"),
  });
  const options = ["--module", "nodenext", "--target", "es2023", "--skipLibCheck"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(
    "node",
    [tsc, ...options, "--rewriteRelativeImportExtensions", "--outDir", "built", "echo/app.ts"],
    { cwd: home, stdio: "inherit" },
  );
  // As `npm init` leaves it: nothing says that the app's file is a module.
  writeFileSync(join(home, "echo/package.json"), '{ "private": true }\n');
}

/** A page without protobuf of its own: field 1 of the request is "hi", encoded by hand. */
const plainPage = `<script type="module">
import { connect } from "/client.js";
const peer = await connect(location.origin);
const node = await peer.find("acme:EchoService:1.0.0");
const request = Uint8Array.of(10, 2, 104, 105);
const answer = await peer.context.call(node, "echo.EchoService.Echo", request);
document.title = new TextDecoder().decode(answer.subarray(2));
</script>`;

/** What a user bundles, with a protobuf beside the package's own. */
const typedScript = `import { connect } from "@roost/edge/client";
import { EchoService } from "./echo/echo_pb.ts";
const peer = await connect(location.origin);
const echo = peer.service(EchoService, "acme:EchoService:1.0.0");
document.title = (await echo.echo({ message: "hi" })).reply;
`;

/** Type and text of what the pages of the test load, by path. */
async function pageFiles(): Promise<Record<string, readonly [type: string, body: string]>> {
  const { outputFiles } = await build({
    stdin: { contents: typedScript, resolveDir: home, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  const client = join(home, "node_modules/@roost/edge/dist/adapters/browser/client.js");
  return {
    "/plain": ["text/html", plainPage],
    "/client.js": ["text/javascript", readFileSync(client, "utf8")],
    "/bundled": ["text/html", '<script type="module" src="bundle.js"></script>'],
    "/bundle.js": ["text/javascript", outputFiles[0]?.text ?? ""],
  };
}

describe("the packed package in an empty folder", () => {
  before(() => {
    copySources();
    npm(copy, "pack", "--silent", "--pack-destination", scratch);
    const tarball = readdirSync(scratch).find((name) => name.endsWith(".tgz")) ?? "no tarball";
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{ "private": true, "type": "module" }\n');
    // A user whose npm runs no install script must lack nothing.
    npm(home, "install", "--ignore-scripts", "--prefer-offline", join(scratch, tarball));
    placeExample();
  });

  after(() => rmSync(scratch, { recursive: true, force: true }));

  it("brings types that a strict compiler accepts", () => {
    const use = `import { ActrError } from "@roost/edge";
import * as client from "@roost/edge/client";
import { serve } from "@roost/edge/node";
import * as testing from "@roost/edge/testing";
export const length: number = new ActrError("timed_out", "x").code.length;
export const used: unknown[] = [client, serve, testing];
// @ts-expect-error a code that is not of the table must not pass: the types are not \`any\`
new ActrError("no such code", "x");
`;
    writeFileSync(join(home, "use.ts"), use);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"];
    execFileSync("node", [tsc, ...options, "--target", "es2023", "use.ts"], { cwd: home });
  });

  for (const name of Object.keys(runtimes)) {
    describe(name, () => {
      it("imports every entry point", async () => {
        const entries = [...Object.keys(shared), `/${name}`];
        const lines = entries.map((entry, n) => `import * as m${n} from "@roost/edge${entry}";`);
        const keys = entries.map((_, n) => `Object.keys(m${n}).sort()`).join();
        lines.push(`console.log(JSON.stringify([${keys}]));`);
        writeFileSync(join(home, `entries_${name}.js`), lines.join("\n"));
        const found = JSON.parse(run(name, `entries_${name}.js`)) as string[][];
        for (const [n, source] of Object.values(shared).entries()) {
          assert.deepEqual(found[n], Object.keys(await import(join(root, source))).sort());
        }
        assert.ok(found.at(-1)?.includes("serve"));
      });

      it("has the command roost, which finds the machine fit", async () => {
        assert.match(run(name, command, "--help"), /^roost \d+\.\d+\.\d+/);
        const port = String(await freePort());
        const { ok, findings } = JSON.parse(run(name, command, "doctor", "--json", "--port", port));
        assert.ok(ok, JSON.stringify(findings));
      });

      it("serves the echo service and calls it", () => {
        const script = `import { connect } from "@roost/edge/client";
import { serve } from "@roost/edge/${name}";
import { app } from "./built/app.js";
import { EchoService } from "./built/echo_pb.js";
const node = await serve(app, { port: 0 });
const peer = await connect(node.url);
const { reply } = await peer.service(EchoService, "acme:EchoService:1.0.0").echo({ message: "hi" });
console.log(reply);
await peer.close();
await node.stop();
`;
        writeFileSync(join(home, `echo_${name}.js`), script);
        assert.equal(run(name, `echo_${name}.js`), "Echo: hi\n");
      });

      it("serves an app in TypeScript from the command line, and calls it", async () => {
        const port = `${await freePort()}`;
        const { binary = "", args = [] } = runtimes[name] ?? {};
        const words = [...args, command, "dev", "echo", "--port", port, "--store", ":memory:"];
        const child = spawn(binary, words, { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
        let said = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (d) => (said += d));
        const ended = new Promise((resolve) => child.on("close", resolve));
        try {
          assert.ok(await answers(`http://127.0.0.1:${port}/readyz`, 20_000), said);
          const call = ["call", "acme:EchoService:1.0.0", "echo.EchoService.Echo"];
          const request = ["--json", '{"message":"hi"}', "--identity", `http://127.0.0.1:${port}`];
          assert.equal(run(name, command, ...call, ...request), '{"reply":"Echo: hi"}\n');
        } finally {
          child.kill("SIGTERM");
        }
        assert.equal(await ended, 0, said);
      });
    });
  }

  const skip = chromiumMissing ?? false;
  it("calls from a page, by a script tag and through a bundler", { skip }, async () => {
    const files = await pageFiles();
    await using node = await serve(app, {
      ...{ port: 0, hostname: "127.0.0.1", log: silentLogger() },
      fetch: ({ url }) => {
        const [type, body] = files[new URL(url).pathname] ?? ["text/plain", ""];
        return new Response(body, { headers: { "content-type": type } });
      },
    });
    await using chromium = await Chromium.launch();
    for (const path of ["/plain", "/bundled"]) {
      const page = await chromium.browser.newPage();
      await page.goto(`${node.url}${path}`);
      await page.waitForFunction(() => document.title === "Echo: hi");
    }
  });

  it("puts roost on the path of npm scripts", () => {
    const roost = join(home, "node_modules/.bin/roost");
    assert.match(execFileSync(roost, ["--version"], { encoding: "utf8" }), /^\d+\.\d+\.\d+\n$/);
  });
});
