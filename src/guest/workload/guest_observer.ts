import type { EventHook, HookPayload, Hooks } from "../../hooks.ts";
import type { GuestEntry, GuestLifecycle } from "../../ports/guest_host.ts";
import { faultOf } from "../fault.ts";
import { hookEntries } from "./entries.ts";

/** Who is told. */
export interface GuestListener {
  live(name: GuestLifecycle): Promise<void>;
  /** Never rejects, and nobody waits for it. */
  tell(entry: GuestEntry): void;
}

/**
 * What a node tells its guest: the sixteen hooks. Events go into the guest's own line, so that a slow one holds up no
 * other observer. What ended an instance of it is not told to the next.
 */
export function guestObserver(guest: GuestListener): Hooks {
  const events = Object.keys(hookEntries) as EventHook[];
  return {
    onStart: () => guest.live("on-start"),
    onReady: () => guest.live("on-ready"),
    onStop: () => guest.live("on-stop"),
    ...Object.fromEntries(events.map((name) => [name, teller(guest, name)])),
    onError(_context, event) {
      if (faultOf(event.error) === undefined) guest.tell(hookEntries.onError(event));
    },
  };
}

function teller<Name extends EventHook>(guest: GuestListener, name: Name) {
  return (_context: unknown, event: HookPayload<Name>): void =>
    guest.tell(hookEntries[name](event));
}
