import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { root } from "./root.ts";

const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

/** Rules that each line of `code` breaks if it stands in `file` of a house under our rules. */
function broken(file: string, code: string): string[][] {
  const house = mkdtempSync(join(tmpdir(), "roost-lint-"));
  try {
    for (const name of ["biome.json", ".gitignore"]) cpSync(join(root, name), join(house, name));
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), `${code}\n`);
    const args = [biome, "lint", "--reporter=github", "--max-diagnostics=50", file];
    const { stdout } = spawnSync("node", args, { cwd: house, encoding: "utf8" });
    const lines: string[][] = code.split("\n").map(() => []);
    for (const [, rule = "", line] of stdout.matchAll(/title=lint\/\w+\/(\w+).*?,line=(\d+)/g)) {
      lines[Number(line) - 1]?.push(rule);
    }
    return lines;
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
}

/** From where to what: imports against the dependency rule. */
const forbidden = {
  "src/ports/x.ts": ["../protocol/envelope.ts", "../define.ts", "node:fs", "node:fs/promises"],
  "src/errors.ts": ["./protocol/ids.ts", "./define.ts"],
  "src/define.ts": ["./session/session.ts", "hono", "@bufbuild/protobuf"],
  "src/protocol/x.ts": ["../session/session.ts", "../define.ts", "hono", "../mod.ts"],
  "src/session/x.ts": [
    ...["../inbound/gate.ts", "../node/node.ts", "../http/app.ts", "../rendezvous/hub.ts"],
    ...["@bufbuild/protobuf/wire", "hono/ws", "ws", "@hono/node-server", "@roost/edge/node"],
    ...["../../transports/memory/hub.ts", "../../adapters/node/mod.ts", "../../test/x.ts"],
  ],
  "src/inbound/x.ts": ["../host/instance.ts", "../node/node.ts"],
  "src/host/x.ts": ["../inspector/views.ts", "../node/node.ts"],
  "src/node/x.ts": ["../http/app.ts", "../client.ts", "hono"],
  "src/http/x.ts": ["../cli/main.ts", "@bufbuild/protobuf"],
  "src/rendezvous/x.ts": ["../node/node.ts", "../session/session.ts", "../signaling/client.ts"],
  "src/cli/x.ts": ["../../test/x.ts", "../../examples/echo/app.ts", "@bufbuild/protobuf"],
  "transports/websocket/x.ts": ["../../adapters/node/mod.ts", "node:net", "ws"],
  "adapters/node/x.ts": ["../../examples/echo/app.ts", "../../test/x.ts", "@roost/edge"],
  "examples/echo/x.ts": ["../../src/mod.ts", "../../adapters/node/mod.ts"],
};

/** Imports that the same places need. */
const allowed = {
  "src/ports/x.ts": ["../errors.ts", "../protocol/ids.ts", "../protocol/frame.ts"],
  "src/protocol/x.ts": ["@bufbuild/protobuf", "../errors.ts", "../ports/clock.ts"],
  "src/session/x.ts": ["../signaling/x.ts", "../define.ts", "../protocol/ids.ts", "#async"],
  "src/node/x.ts": ["../host/x.ts", "../inbound/x.ts", "../session/x.ts"],
  "src/http/x.ts": ["hono", "../node/x.ts", "../rendezvous/x.ts"],
  "src/rendezvous/x.ts": ["hono", "../identity/x.ts", "../protocol/ids.ts", "../ports/store.ts"],
  "src/cli/x.ts": ["node:fs", "../../adapters/node/mod.ts", "../http/x.ts"],
  "transports/websocket/x.ts": ["../../src/errors.ts"],
  "adapters/node/x.ts": ["node:net", "ws", "../../transports/memory/x.ts", "../../src/mod.ts"],
  "examples/echo/x.ts": ["@roost/edge/node", "./gen/echo_pb.ts", "@bufbuild/protobuf"],
};

/** The specifiers that the dependency rule refuses in `file`. */
function refused(file: string, specifiers: readonly string[]): string[] {
  const lines = broken(file, specifiers.map((one) => `import "${one}";`).join("\n"));
  return specifiers.filter((_, line) => lines[line]?.includes("noRestrictedImports"));
}

describe("the dependency rule", () => {
  for (const [file, specifiers] of Object.entries(forbidden)) {
    it(`keeps ${specifiers.join(", ")} out of ${file}`, () => {
      assert.deepEqual(refused(file, specifiers), specifiers);
    });
  }

  for (const [file, specifiers] of Object.entries(allowed)) {
    it(`lets ${file} import ${specifiers.join(", ")}`, () => {
      assert.deepEqual(refused(file, specifiers), []);
    });
  }
});

describe("the rules of the house", () => {
  const cases = [
    [
      "src/node/x.ts",
      "export const a = (): unknown => setTimeout(() => {}, 1);",
      "noRestrictedGlobals",
    ],
    ["src/node/x.ts", "export const a: unknown = process.env;", "noRestrictedGlobals"],
    ["transports/memory/x.ts", "export const a: unknown = Deno;", "noRestrictedGlobals"],
    ["src/node/x.ts", "console.log(1);", "noConsole"],
    ["src/node/x.ts", "export const a: any = 1;", "noExplicitAny"],
    ["src/node/x.ts", 'import "./x";', "useImportExtensions"],
    ["src/node/x.ts", "async function f(): Promise<void> {}\nf();", "noFloatingPromises"],
  ] as const;
  for (const [file, code, rule] of cases) {
    it(`${rule} holds in ${file}: ${code}`, () => {
      assert.ok(broken(file, code).flat().includes(rule));
    });
  }

  it("leaves the command line, tests and examples their console and process", () => {
    for (const file of ["src/cli/x.ts", "test/x.ts", "examples/echo/x.ts"]) {
      const rules = broken(file, "console.log(process.argv);").flat();
      assert.ok(!rules.includes("noConsole") && !rules.includes("noRestrictedGlobals"));
    }
  });
});
