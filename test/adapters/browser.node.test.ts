import assert from "node:assert/strict";
import { it } from "node:test";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import { SocketRelay } from "../fixtures/chromium/socket_relay.ts";
import type { SuitesPage } from "../fixtures/chromium/suites_page.ts";

const skip = chromiumMissing ?? false;

it("the suites of the browser's adapters, in Chromium", { skip, timeout: 180_000 }, async (t) => {
  await using chromium = await Chromium.launch();
  const entry = new URL("../fixtures/chromium/suites_page.ts", import.meta.url);
  await using relay = await SocketRelay.start();
  const page = await chromium.open(entry, { relay: relay.url });
  const results = await page.evaluate(() =>
    (globalThis as unknown as { readonly page: SuitesPage }).page.run(),
  );
  assert.ok(results.length > 30, `${results.length} tests ran`);
  for (const { name, skipped, error } of results) {
    await t.test(name, { skip: skipped ?? false }, () => assert.equal(error, undefined));
  }
});
