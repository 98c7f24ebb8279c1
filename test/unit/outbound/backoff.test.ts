import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RetryError, retry } from "#async";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { reconnectDelayMs } from "../../../src/identity/backoff.ts";
import type { Random } from "../../../src/ports/random.ts";
import { peerId } from "../session/support.ts";
import { type Calling, calling, timersLeft } from "./support.ts";

const far = peerId(2);
const lost = new ActrError("unavailable", "the link broke");

/** Chance that always falls in the middle: no jitter. */
const even: Random = Object.assign(new SeededRandom(), { next: () => 0.5 });

/** When a call under which every send fails is sent, milliseconds from now. */
async function sendTimes(world: Calling, timeoutMs: number): Promise<number[]> {
  const times: number[] = [];
  const start = world.clock.now();
  const { onDial } = world.transport;
  world.transport.onDial = async (address, options) => {
    const link = await onDial(address, options);
    link.send = async () => {
      times.push(world.clock.now() - start);
      throw lost;
    };
    return link;
  };
  const call = world.caller.call(far, "a.B.C", new Uint8Array(), { timeoutMs });
  const failed = assert.rejects(call, lost);
  await world.clock.advance(60_000);
  await failed;
  assert.equal(timersLeft(world), 0);
  return times;
}

describe("back-off", () => {
  it("[N-170] doubles up to a cap, with ±30 % of chance, and begins anew after a success", async () => {
    const pauses = Array.from({ length: 9 }, (_, n) => reconnectDelayMs(n + 1, even) / 1_000);
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert.equal(reconnectDelayMs(0, even), 0, "after a success");
    const random = new SeededRandom(7);
    const shares = Array.from({ length: 2_000 }, () => reconnectDelayMs(3, random) / 4_000);
    assert.ok(Math.min(...shares) >= 0.7 && Math.min(...shares) < 0.72);
    assert.ok(Math.max(...shares) <= 1.3 && Math.max(...shares) > 1.28);
    // The growth, the number of attempts and the time in all are the caller's to choose.
    let tries = 0;
    const failing = (): never => {
      tries += 1;
      throw lost;
    };
    const quick = { minTimeout: 1, multiplier: 3, maxAttempts: 4 };
    await assert.rejects(retry(failing, quick), RetryError);
    assert.equal(tries, 4);
    const own = { reliableAttempts: 4, reliablePausesMs: [10, 30, 90] };
    assert.deepEqual(await sendTimes(calling(own), 30_000), [0, 10, 40, 130]);
    assert.deepEqual(await sendTimes(calling(own), 100), [0, 10, 40], "within 100 ms in all");
  });
});
