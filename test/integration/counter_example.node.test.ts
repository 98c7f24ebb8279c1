import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { until } from "../fixtures/until.ts";
import { root } from "../tools/root.ts";
import { Roost, runtimes } from "./cli_process.ts";

const source = readFileSync(join(root, "examples/counter/app.ts"), "utf8");

/** The calls that its comment shows: address without its base, and body. */
const shown = [...source.matchAll(/curl -d '(.*?)' 'http:\/\/127\.0\.0\.1:8080(.*?)'/g)].map(
  ([, body = "", path = ""]) => ({ body, path }),
);

/** What one of them outputs at a node. */
async function call(health: string, { path, body } = { path: "", body: "" }): Promise<unknown> {
  const response = await fetch(new URL(path, health), { method: "POST", body });
  const answer = (await response.json()) as { readonly output: unknown };
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.output;
}

describe("examples/counter", { timeout: 120_000, concurrency: true }, () => {
  for (const [index, runtime] of runtimes.entries()) {
    const caller = runtimes[(index + 1) % runtimes.length] ?? "node";

    it(`counts on ${runtime} as its comment says, also what is due after kill -9`, async () => {
      await using folder = await temporaryFolder();
      const store = join(folder.path, "node.db");
      const serve = ["dev", "examples/counter", "--port", "0", "--store", store, "--json"];
      const key = ["counter", "room-1"] as const;
      const roost = async (...args: string[]): Promise<string> => {
        const { code, out, err } = await Roost.run(caller, "actors", ...args);
        assert.equal(code, 0, err);
        return out;
      };
      {
        await using dev = new Roost(runtime, serve);
        const { health } = await dev.addresses();
        const url = ["--url", new URL(health).origin];
        assert.equal(await call(health, shown[0]), 1);
        assert.equal(await roost("call", ...key, "add", "--args", "[3]", ...url), "4\n");
        assert.equal(typeof (await call(health, shown[1])), "string");
        dev.signal("SIGKILL");
        await dev.end();
      }
      await using again = new Roost(runtime, serve);
      const { health } = await again.addresses();
      const url = ["--url", new URL(health).origin];
      const count = { path: shown[0]?.path.replace("/add", "/count") ?? "", body: '{"args":[]}' };
      await until(
        "what was scheduled has run",
        async () => (await call(health, count)) === 9,
        60_000,
      );
      const found = await roost("ls", "counter", ...url);
      assert.match(found, /^\S+ {2}counter room-1\n1 actor\n$/);
      await roost("destroy", ...key, ...url);
      assert.equal(await roost("ls", "counter", ...url), "no actors\n");
    });
  }
});
