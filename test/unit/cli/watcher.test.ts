import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Watcher } from "../../../src/cli/dev/watcher.ts";

describe("the watcher of an app's folder", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "roost-watcher-"));
    mkdirSync(join(folder, "deep"));
    writeFileSync(join(folder, "deep/a.ts"), "1");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, change] of [
    ["a source that is written", () => writeFileSync(join(folder, "deep/a.ts"), "22")],
    ["a source that is new", () => writeFileSync(join(folder, "b.ts"), "")],
    ["a source that is gone", () => rmSync(join(folder, "deep"), { recursive: true })],
  ] as const) {
    it(`sees ${what}, once`, async () => {
      const watcher = await Watcher.open(folder);
      change();
      await watcher.changed(AbortSignal.timeout(60_000));
      const quiet = AbortSignal.timeout(700);
      await watcher.changed(quiet);
      assert.ok(quiet.aborted);
    });
  }

  it("sees neither databases nor packages nor hidden folders", async () => {
    const watcher = await Watcher.open(folder);
    for (const hidden of [".roost", "node_modules"]) {
      mkdirSync(join(folder, hidden));
      writeFileSync(join(folder, hidden, "x.ts"), "");
    }
    writeFileSync(join(folder, "node.db"), "");
    const quiet = AbortSignal.timeout(1000);
    await watcher.changed(quiet);
    assert.ok(quiet.aborted);
  });

  it("keeps a change for the next look when it is told to stop looking", async () => {
    const watcher = await Watcher.open(folder);
    writeFileSync(join(folder, "b.ts"), "");
    const stop = new AbortController();
    const looking = watcher.changed(stop.signal);
    stop.abort();
    await looking;
    const limit = AbortSignal.timeout(60_000);
    await watcher.changed(limit);
    assert.ok(!limit.aborted);
  });
});
