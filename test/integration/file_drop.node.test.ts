import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { commandLine, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const mebibyte = 1_048_576;
const bounds = {
  timeout: 150_000,
  skip: chromiumMissing ?? (await whyMissing("wrtc")) ?? false,
};

const folder = mkdtempSync(join(tmpdir(), "roost-file-drop-"));

/** A file of random bytes and what it is. */
function randomFile(name: string, bytes: number): { path: string; receipt: string } {
  const [path, content] = [join(folder, name), randomBytes(bytes)];
  writeFileSync(path, content);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { path, receipt: `${name}: the node has ${bytes} bytes, SHA-256 ${sha256}` };
}

/** The example's server in a process of its own. */
class Host implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(runtime: RuntimeName): Promise<Host> {
    const file = fileURLToPath(new URL("../../examples/file-drop/serve.ts", import.meta.url));
    const [command, words] = commandLine(runtime, file);
    const child = spawn(command, [...words, "0"], { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^open (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new Host(child, url);
    }
    throw new Error(`${runtime} ended early`);
  }

  /** The page, connected by WebRTC. */
  async open(chromium: Chromium): Promise<Page> {
    const page = await chromium.browser.newPage();
    await page.goto(this.#url);
    const link = /^roost_links\{transport="webrtc",direction="(in|out)bound"\} 1$/m;
    const metrics = async (): Promise<string> => await (await fetch(`${this.#url}/metrics`)).text();
    await until("WebRTC is up", async () => link.test(await metrics()), 20_000);
    await page.locator("input:enabled").waitFor({ state: "attached" });
    return page;
  }

  /** Resident memory, bytes, now or at most since {@link forgetPeak}. */
  resident(which: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024;
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  /** Asks it to end; how it did. */
  async end(): Promise<unknown[]> {
    const gone = once(this.#child, "exit");
    process.kill(this.#child.pid ?? 0, "SIGTERM");
    return await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
  }
}

describe("examples/file-drop in Chromium", { ...bounds, concurrency: true }, () => {
  let chromium: Chromium;
  const file = randomFile("file.bin", 24 * mebibyte);
  const large = randomFile("large.bin", 96 * mebibyte);

  before(async () => {
    chromium = await Chromium.launch();
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const runtime of runtimeNames) {
    it(`sends a file by WebRTC to a node on ${runtime}, which says what came`, async () => {
      await using host = await Host.start(runtime);
      const page = await host.open(chromium);
      await page.setInputFiles("input", file.path);
      await says(page, file.receipt);
      if (runtime === "node") {
        await page.setInputFiles("input", large.path);
        await page.waitForFunction(() => Number(document.querySelector("progress")?.value) > 0.2);
        const had = host.resident("VmRSS");
        host.forgetPeak();
        await says(page, large.receipt);
        // Garbage makes it more than nothing, and less than what was still to come.
        const grown = host.resident("VmHWM") - had;
        assert.ok(grown < 56 * mebibyte, `${grown} bytes more for ${0.8 * 96} MiB`);
      }
      await page.close();
      assert.deepEqual(await host.end(), [0, null]);
    });
  }
});

/** Resolves when the page shows `text`. */
async function says(page: Page, text: string): Promise<void> {
  const output = page.locator("output");
  try {
    await until("the node answers", async () => (await output.textContent()) === text, 100_000);
  } catch (error) {
    throw new Error(`the page says: ${await output.textContent()}`, { cause: error });
  }
}
