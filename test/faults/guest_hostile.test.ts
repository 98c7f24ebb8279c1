import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, it } from "node:test";
import { inlineGuests } from "../../adapters/guest/inline_guests.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import type { GuestCode, GuestHost } from "../../src/ports/guest_host.ts";
import { testThreads } from "../fixtures/guest_thread.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { type Attack, attacksOf, endOf, hostileOptions, ToldGuest } from "./hostile_guests.ts";

const script = new URL("../fixtures/guests/probe_script.js", import.meta.url);
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

const codes: readonly GuestCode[] = [
  { kind: "wasm", binary: await guestComponent("probe") },
  { kind: "script", binary: await readFile(script) },
];

for (const code of codes) {
  for (const [isolation, host] of Object.entries(hosts)) hostile(code, isolation, host);
}

function hostile(code: GuestCode, isolation: string, host: GuestHost): void {
  describe(`a hostile ${code.kind} guest, ${isolation}`, () => {
    it("[G-58] is stopped whatever it does; its neighbour is served, and it is served again", {
      timeout: 300_000,
    }, async () => {
      const quota = new GuestQuota();
      const patient = { entryTimeoutMs: 120_000 };
      await using neighbour = await new ToldGuest(host, code, quota, patient).load();
      const before = quota.memory.taken;
      for (const few of inParts(attacksOf(code.kind))) {
        await using guest = await new ToldGuest(host, code, quota, hostileOptions).load();
        for (const attack of few) {
          const [end, served] = await Promise.all([
            endOf(attack, guest),
            neighbour.dispatch("echo", Uint8Array.of(1, 2, 3)),
          ]);
          assert.deepEqual(served, Uint8Array.of(1, 2, 3), attack.name);
          assert.ok(attack.ends.includes(end), `${attack.name}: ${end}`);
          assert.deepEqual(await guest.dispatch("echo", Uint8Array.of(7)), Uint8Array.of(7));
          assert.equal(quota.instances.taken, 2, attack.name);
        }
        await guest.runner.stop();
        assert.equal(quota.memory.taken, before, "its memory is back");
      }
      assert.equal(neighbour.runner.status().rebuilds, 0);
      assert.equal(quota.entries.taken, 0);
    });
  });
}

/** Few enough that a guest, which is built anew after each, is not held back for long. */
function inParts(attacks: Attack[]): Attack[][] {
  return Array.from({ length: Math.ceil(attacks.length / 4) }, (_, index) =>
    attacks.slice(index * 4, index * 4 + 4),
  );
}
