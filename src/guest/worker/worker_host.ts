import type { Clock } from "../../ports/clock.ts";
import type { GuestCode, GuestHost, GuestLimits } from "../../ports/guest_host.ts";
import type { StartThread } from "./thread.ts";
import { WorkerImage } from "./worker_image.ts";

/** What {@link workerGuestHost} is made of. */
export interface WorkerGuestHostComponents {
  readonly clock: Clock;
  readonly startThread: StartThread;
}

/**
 * Runs each guest in a thread of its own, so that one that computes holds up nobody else. The thread is ended and begun
 * anew when it dies, or does not answer that an instance was discarded. Limits may be a whole `GuestOptions`: calls and
 * log are limited in the thread too.
 */
export function workerGuestHost(components: WorkerGuestHostComponents): GuestHost {
  return {
    async load(code: GuestCode, limits: GuestLimits, signal: AbortSignal): Promise<WorkerImage> {
      const image = new WorkerImage(components, code, limits);
      await image.load(signal);
      return image;
    },
  };
}
