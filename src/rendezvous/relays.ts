import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { type ActrId, peerKey } from "../protocol/ids.ts";
import { withoutCredential } from "../protocol/relay_bytes.ts";
import type { ActrRelay, RoleNegotiation, ActrId as WireId } from "../protocol/schema.ts";
import type { Refusal } from "./ais/realms.ts";
import { admits } from "./discovery/acl.ts";
import type { Hub } from "./hub.ts";
import { blankCredential, encodeMessage } from "./messages.ts";
import type { Reachable } from "./reachable.ts";
import { initiatorOffers } from "./roles.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/**
 * Passes a verified relay on, or settles a role negotiation (`spec/protocol.md` §7.5, §7.6); why not, if so.
 * `data` passes as it came but for its envelope id and the sender's credential, a bearer token that no peer may see.
 * @throws ActrError `decode_failure` when `data` could be read in two ways.
 */
export function relay(
  hub: Hub,
  from: SignalingSocket,
  { target: to, payload }: ActrRelay,
  data: Uint8Array,
): Refusal | undefined {
  const target = hub.directory.get(peerKey(fromActrIdMessage(to)));
  if (target === undefined) return { code: 404, message: "Relay target is not connected" };
  if (target === from) return { code: 400, message: "Relay target is its own source" };
  if (!reaches(hub, from, target)) {
    return { code: 403, message: "ACL policy denies relay to target actor" };
  }
  hub.invitations.add(from.key, target.key);
  if (payload.case === "roleNegotiation") return assignRoles(hub, from, target, payload.value);
  const passed = withoutCredential(data, hub.random.uuid());
  return target.pass(passed) ? undefined : unread;
}

const unread: Refusal = { code: 503, message: "Relay target does not read" };

/** A node reaches those whose rules admit it, and those that it was itself reached by: an answer needs no rule of its own. */
function reaches(hub: Hub, from: SignalingSocket, target: Reachable): boolean {
  if (admits(target, from, hub.options.withoutRules)) return true;
  return hub.invitations.has(target.key, from.key);
}

/** Tells both sides their role; both copies name the initiator as source. */
function assignRoles(
  hub: Hub,
  from: SignalingSocket,
  target: Reachable,
  { from: initiator, to }: RoleNegotiation,
): Refusal | undefined {
  if (!names(initiator, from.id) || !names(to, target.id)) {
    return { code: 403, message: "Role negotiation names others than its source and target" };
  }
  const offers = initiatorOffers(from, target);
  if (!assign(target, !offers)) return unread;
  assign(from, offers);
  return undefined;

  function assign(receiver: Reachable, isOfferer: boolean): boolean {
    const value = {
      source: from.wireId,
      target: target.wireId,
      credential: blankCredential,
      payload: { case: "roleAssignment", value: { isOfferer } },
    } as const;
    const flow = { case: "actrRelay", value } as const;
    return receiver.pass(encodeMessage(flow, hub.random.uuid()));
  }
}

function names(wire: WireId | undefined, id: ActrId): boolean {
  return wire !== undefined && peerKey(fromActrIdMessage(wire)) === peerKey(id);
}
