import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { inlineGuests } from "../../adapters/guest/inline_guests.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import { testThreads } from "../fixtures/guest_thread.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { attacks, hostileOptions, suffered, ToldGuest } from "./hostile_guests.ts";

const clock = systemClock();
const threads = await testThreads();
/** Deadlines keep no process alive, and a guest that never answers has nothing else. */
const alive = setInterval(() => {}, 1000);
after(async () => {
  clearInterval(alive);
  await threads[Symbol.asyncDispose]();
});
const hosts = {
  inline: inlineGuests(clock),
  worker: workerGuestHost({ clock, startThread: threads.startThread }),
};

for (const [isolation, host] of Object.entries(hosts)) {
  describe(`a hostile component, ${isolation}`, () => {
    it("[G-58] is stopped whatever it does; its neighbour is served, and it is served again", {
      timeout: 300_000,
    }, async () => {
      const quota = new GuestQuota();
      const code = { kind: "wasm", binary: await guestComponent("probe") } as const;
      const patient = { entryTimeoutMs: 120_000 };
      await using neighbour = await new ToldGuest(host, code, quota, patient).load();
      const before = quota.memory.taken;
      for (const attack of attacks) {
        await using hostile = await new ToldGuest(host, code, quota, hostileOptions).load();
        const [end, served] = await Promise.all([
          suffered(attack, hostile),
          neighbour.dispatch("echo", Uint8Array.of(1, 2, 3)),
        ]);
        assert.deepEqual(served, Uint8Array.of(1, 2, 3), attack.name);
        const fits = end === undefined ? attack.ends.length === 0 : attack.ends.includes(end);
        assert.ok(fits, `${attack.name}: ${end}`);
        assert.deepEqual(await hostile.dispatch("echo", Uint8Array.of(7)), Uint8Array.of(7));
        assert.equal(quota.instances.taken, 2, attack.name);
        await hostile.runner.stop();
        assert.equal(quota.memory.taken, before, `${attack.name}: its memory is back`);
      }
      assert.equal(neighbour.runner.status().rebuilds, 0);
      assert.equal(quota.entries.taken, 0);
    });
  });
}
