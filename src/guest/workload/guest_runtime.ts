import type { GuestDefinition } from "../../guest.ts";
import type { GuestAccess } from "./guest_routes.ts";
import { GuestWorkload } from "./guest_workload.ts";
import type { GuestPlace, GuestSurroundings } from "./live_guest.ts";

/** Makes the guests of nodes; nodes without one load nothing of it. */
export interface GuestRuntime {
  /** @throws ActrError `config` for a guest that cannot run here. */
  workload(
    definition: GuestDefinition,
    surroundings: GuestSurroundings,
    access: GuestAccess,
  ): GuestWorkload;
}

/** What makes guests that run in `place`. */
export function guestRuntime(place: GuestPlace): GuestRuntime {
  return {
    workload: (definition, surroundings, access) =>
      new GuestWorkload(definition, { ...surroundings, ...place }, access),
  };
}
