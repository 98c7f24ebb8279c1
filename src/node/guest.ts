import type { NodeContext } from "../context.ts";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { GuestWorkload } from "../guest/workload/guest_workload.ts";
import { provenBy } from "../identity/package_registration.ts";
import type { NodeComponents, NodeSettings } from "./node_components.ts";
import type { UndoStack } from "./undo_stack.ts";

/** A definition whose guest's manufacturer is asked, not read: its key has become one who signs with it. */
export function withProver(definition: NodeDefinition, components: NodeComponents): NodeDefinition {
  const { guest } = definition;
  if (guest === undefined || typeof guest.proof !== "object") return definition;
  return { ...definition, guest: { ...guest, proof: provenBy(guest.proof, components) } };
}

/**
 * The guest that a definition names, if it does, put together: nothing of it runs yet.
 * @throws ActrError `config` for one that cannot run here, or services beside it: a node has one workload.
 */
export function openGuest(
  { guest, services = [], acl }: NodeDefinition,
  { guests, clock, log }: NodeComponents,
  { realm }: NodeSettings,
  context: () => NodeContext,
): GuestWorkload | undefined {
  if (guest === undefined) return undefined;
  if (services.length > 0) {
    const mend = "offer them to the guest as host services, or serve them on a node of their own";
    throw new ActrError("config", `a node with a guest serves no services; ${mend}`);
  }
  if (guests === undefined) {
    throw new ActrError("config", "this node has a guest, but nothing here runs guests");
  }
  return guests.workload(guest, { clock, log, context }, { realm, ...(acl && { acl }) });
}

/** Has a guest ready before anybody hears of its node. @throws ActrError as {@link GuestWorkload.load}. */
export async function loadGuest(
  guest: GuestWorkload | undefined,
  undo: UndoStack,
  signal: AbortSignal,
): Promise<void> {
  if (guest === undefined) return;
  undo.push("guest", () => guest.close());
  await guest.load(signal);
}
