import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { commandLine, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const bounds = { timeout: 240_000, skip: (await whyMissing("wrtc")) ?? false };

/** Starts a program of the example. */
function start(runtime: RuntimeName, name: string, ...args: string[]): ChildProcess {
  const file = fileURLToPath(new URL(`../../examples/media/${name}`, import.meta.url));
  const [command, words] = commandLine(runtime, file);
  return spawn(command, [...words, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

/** What the statistics say of a track: samples, the highest level, since silence follows what was sent, and format. */
function read(lines: readonly string[], track: string): [number, number, string] {
  const shape = new RegExp(`^${track}: (\\d+) samples, \\d+ bytes, level (\\d+), (.*)$`);
  const found = lines.flatMap((line) => [shape.exec(line) ?? []]).filter(([line]) => line);
  const [, samples, , format = ""] = found.at(-1) ?? [];
  return [Number(samples), Math.max(...found.map(([, , level]) => Number(level))), format];
}

describe("examples/media", bounds, () => {
  for (const [at, player] of runtimeNames.entries()) {
    const sender = runtimeNames[(at + 1) % runtimeNames.length] ?? "node";
    it(`${sender} sends a tone and pictures, ${player} plays them, and both end well`, async () => {
      const playing = start(player, "play.ts", "0");
      const lines: string[] = [];
      let sending: ChildProcess | undefined;
      let sent: Promise<unknown[]> | undefined;
      try {
        for await (const line of createInterface({ input: playing.stdout ?? process.stdin })) {
          lines.push(line);
          const identity = /send to (\S+)/.exec(line)?.[1];
          if (identity !== undefined) {
            sending = start(sender, "send.ts", identity, "3");
            sent = once(sending, "exit");
          }
          const [sounds] = read(lines, "voice");
          if (sounds >= 50 && read(lines, "camera")[0] >= 10) break;
        }
        assert.deepEqual(await sent, [0, null]);
      } finally {
        process.kill(playing.pid ?? 0, "SIGTERM");
        sending?.kill();
      }
      assert.deepEqual(await once(playing, "exit"), [0, null]);
      const [, loudness, sound] = read(lines, "voice");
      const [, brightness, picture] = read(lines, "camera");
      assert.ok(loudness > 30 && loudness < 100, `loudness ${loudness}`);
      assert.match(sound, /^opus, \d+ Hz$/);
      // A tenth of the picture is white, the rest is grey.
      assert.ok(brightness > 125 && brightness < 160, `brightness ${brightness}`);
      assert.equal(picture, "VP8, 320x240");
    });
  }

  it("a page sends its camera and microphone to the player and to another page", {
    skip: chromiumMissing ?? false,
  }, async () => {
    const playing = start("node", "play.ts", "0");
    await using chromium = await Chromium.launch({ fakeDevices: true });
    const lines: string[] = [];
    const pages: Page[] = [];
    try {
      for await (const line of createInterface({ input: playing.stdout ?? process.stdin })) {
        lines.push(line);
        const url = /^open (\S+),/.exec(line)?.[1];
        if (url !== undefined) {
          for (let count = 0; count < 2; count++) pages.push(await openPage(chromium, url));
          await pages[0]?.click("button");
        }
        if (read(lines, "voice")[0] >= 50 && read(lines, "camera")[0] >= 10) break;
      }
      assert.equal(await pages[0]?.textContent("output"), "Sent to 2.");
      const [sender, receiver] = pages;
      await receiver?.waitForFunction(() => {
        const { videoWidth, currentTime } = document.querySelector("video") ?? {};
        return videoWidth === 320 && Number(currentTime) > 0.2;
      });
      // Who goes elsewhere is seen no more.
      await sender?.goto("about:blank");
      await receiver?.waitForFunction(() => document.querySelector("video") === null);
    } finally {
      process.kill(playing.pid ?? 0, "SIGTERM");
    }
    assert.deepEqual(await once(playing, "exit"), [0, null]);
    assert.match(read(lines, "voice")[2], /^opus, \d+ Hz$/);
    assert.equal(read(lines, "camera")[2], "VP8, 320x240");
  });
});

/** The example's page, connected. */
async function openPage(chromium: Chromium, url: string): Promise<Page> {
  const page = await chromium.browser.newPage();
  await page.goto(url);
  await page.locator("button:enabled").waitFor();
  return page;
}
