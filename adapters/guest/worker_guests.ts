import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { GuestHost } from "../../src/ports/guest_host.ts";
import { threadStarter } from "./start_thread.ts";

/** Runs each guest in a thread of its own. */
export function workerGuests(clock: Clock): GuestHost {
  return workerGuestHost({ clock, startThread: threadStarter() });
}
