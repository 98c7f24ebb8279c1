import { after } from "node:test";
import { systemClock } from "../../adapters/system_clock.ts";
import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import { guestHostConformance } from "../conformance/guest_host.ts";
import { testThreads } from "../fixtures/guest_thread.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";

const threads = await testThreads();
after(() => threads[Symbol.asyncDispose]());
const host = workerGuestHost({ clock: systemClock(), startThread: threads.startThread });

guestHostConformance("components, in a thread", async () => ({
  host,
  probe: { kind: "wasm", binary: await guestComponent("probe") },
  [Symbol.asyncDispose]: async () => {},
}));
