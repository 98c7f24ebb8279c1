import type { NodeDefinition } from "../../src/define.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { type GuestRuntime, guestRuntime } from "../../src/guest/workload/guest_runtime.ts";
import type { GuestPlace } from "../../src/guest/workload/live_guest.ts";
import type { GuestDefinition } from "../../src/guest.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { inlineGuests } from "../guest/inline_guests.ts";
import { workerGuests } from "../guest/worker_guests.ts";

/** Of this process, whose memory all its guests share, whatever node they are of. */
const processQuota = new GuestQuota();

/** Where guests run here: in threads of their own, or in this one. */
export function guestPlace(clock: Clock, quota: GuestQuota = processQuota): GuestPlace {
  const inline = inlineGuests(clock);
  const worker = workerGuests(clock);
  return { quota, host: (isolation) => (isolation === "inline" ? inline : worker) };
}

/** What runs the guests of this process. */
export function guestsOf(clock: Clock): GuestRuntime {
  return guestRuntime(guestPlace(clock));
}

/** A node at a rendezvous of its own needs no consent of a manufacturer to run what it trusts. */
export function registeredHere(app: NodeDefinition, guest: GuestDefinition): NodeDefinition {
  if (guest.proof !== undefined || guest.registersAs !== undefined) return app;
  return { ...app, guest: { ...guest, registersAs: "linked" } };
}
