import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { commandLine, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";

const limitMs = 30_000;

/** The example's server in a process of its own. */
class Host implements AsyncDisposable {
  readonly url: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(child: ReturnType<typeof spawn>, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(runtime: RuntimeName): Promise<Host> {
    const file = fileURLToPath(new URL("../../examples/chat-room/serve.ts", import.meta.url));
    const [command, words] = commandLine(runtime, file);
    const child = spawn(command, [...words, "0"], { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^open (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new Host(child, url);
    }
    throw new Error(`${runtime} ended early`);
  }

  async awake(): Promise<number> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^roost_actors_awake\{[^}]*\} (\d+)$/m.exec(metrics)?.[1]);
  }

  async end(): Promise<unknown[]> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    return await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
  }
}

/** A page that has come into the room. */
async function come(chromium: Chromium, { url }: Host, name: string): Promise<Page> {
  const page = await chromium.browser.newPage();
  await page.goto(`${url}/?name=${name}`);
  await page.locator("input:enabled").waitFor({ timeout: limitMs });
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator("input").fill(text);
  await page.locator("input").press("Enter");
}

/** Resolves when the page shows these lines, and these people. */
async function shows(page: Page, lines: readonly string[], present: string): Promise<void> {
  const shown = async (): Promise<string> =>
    [
      await page.locator("output").textContent(),
      ...(await page.locator("li").allTextContents()),
    ].join("\n");
  const wanted = [`Here: ${present}`, ...lines].join("\n");
  try {
    await until("the page shows it", async () => (await shown()) === wanted, limitMs);
  } catch (error) {
    throw new Error(`the page shows: ${await shown()}`, { cause: error });
  }
}

describe("examples/chat-room in Chromium", {
  timeout: 150_000,
  skip: chromiumMissing ?? false,
  concurrency: true,
}, () => {
  let chromium: Chromium;

  before(async () => {
    chromium = await Chromium.launch();
  });

  after(() => chromium?.[Symbol.asyncDispose]());

  for (const runtime of runtimeNames) {
    it(`${runtime}: who is here sees who comes and goes, and what is said, though the room sleeps`, async () => {
      await using host = await Host.start(runtime);
      const ann = await come(chromium, host, "Ann");
      await shows(ann, [], "Ann");
      await say(ann, "Hello?");
      const bob = await come(chromium, host, "Bob");
      await shows(bob, ["Ann: Hello?"], "Ann, Bob");
      await shows(ann, ["Ann: Hello?"], "Ann, Bob");
      await until("the room sleeps", async () => (await host.awake()) === 0, limitMs);
      await say(bob, "<b>Hi!</b>");
      const said = ["Ann: Hello?", "Bob: <b>Hi!</b>"];
      for (const page of [ann, bob]) await shows(page, said, "Ann, Bob");
      await until("the room sleeps again", async () => (await host.awake()) === 0, limitMs);
      await bob.close();
      await shows(ann, said, "Ann");
      await ann.close();
      assert.deepEqual(await host.end(), [0, null]);
    });
  }
});
