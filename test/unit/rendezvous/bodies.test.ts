import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { until } from "../../fixtures/until.ts";
import { silent } from "./silent_logger.ts";

const adminToken = "s3cret-s3cret-s3cret";
const context = { remoteAddress: "10.0.0.9" };

describe("bodies of requests to a rendezvous", () => {
  for (const path of ["/ais/register", "/mfr/pkg/nonce", "/admin/realms"]) {
    it(`are refused when they are too long, or do not come within a minute: ${path}`, async () => {
      const clock = new FakeClock();
      const components = {
        store: new MemoryStore(),
        clock,
        random: new SeededRandom(),
        log: silent,
      };
      const limits = { maxBodyBytes: 20_000 };
      await using rendezvous = await Rendezvous.open(components, { adminToken, limits });
      const post = async (body: unknown): Promise<Response> => {
        const headers = { authorization: `Bearer ${adminToken}` };
        const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
        return await rendezvous.fetch(new Request(`http://server${path}`, init), context);
      };
      assert.equal((await post("x".repeat(20_001))).status, 413);
      const timers = clock.pending;
      const slow = post(new ReadableStream());
      // Its token may be checked in another thread, which takes its own time.
      await until("the body is waited for", () => clock.pending > timers, 30_000);
      await clock.advance(60_000);
      const { status } = await slow;
      assert.equal(status, 408);
    });
  }
});
