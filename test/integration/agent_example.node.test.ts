import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { until } from "../fixtures/until.ts";
import { root } from "../tools/root.ts";
import { Roost, runtimes } from "./cli_process.ts";

const source = readFileSync(join(root, "examples/agent/app.ts"), "utf8");

/** The calls that its comment shows: address without its base, and body. */
const [ask, buy, decide, answers, report] = [
  ...source.matchAll(/curl -d '(.*?)' 'http:\/\/127\.0\.0\.1:8080(.*?)'/g),
].map(([, body = "", path = ""]) => ({ body, path }));

/** What one of them outputs at a node. */
async function call(health: string, { path, body } = { path: "", body: "" }): Promise<unknown> {
  const response = await fetch(new URL(path, health), { method: "POST", body });
  const answer = (await response.json()) as { readonly output: unknown };
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.output;
}

const texts = [
  'It depends on what you mean by "What is a roost?".',
  'It depends on what you mean by "Buy a boat".',
];

describe("examples/agent", { timeout: 240_000, concurrency: true }, () => {
  for (const runtime of runtimes) {
    it(`answers each question once on ${runtime}, also when it is killed while it thinks`, async () => {
      await using folder = await temporaryFolder();
      const store = join(folder.path, "node.db");
      const serve = ["dev", "examples/agent", "--port", "0", "--store", store, "--json"];
      {
        await using dev = new Roost(runtime, serve);
        const { health } = await dev.addresses();
        await call(health, ask);
        await call(health, buy);
        dev.signal("SIGKILL");
        await dev.end();
      }
      await using again = new Roost(runtime, serve);
      const { health } = await again.addresses();
      const known = async (): Promise<{ readonly text: string }[]> =>
        (await call(health, answers)) as { readonly text: string }[];
      await until("the first is answered", async () => (await known()).length === 1, 60_000);
      await call(health, decide);
      await until("both are answered", async () => (await known()).length === 2, 60_000);
      assert.deepEqual(
        (await known()).map(({ text }) => text),
        texts,
      );
      const lines = async (): Promise<unknown[]> => (await call(health, report)) as unknown[];
      await until("both are reported", async () => (await lines()).length === 2, 60_000);
    });
  }
});
