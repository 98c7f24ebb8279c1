import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { type ActrId, peerKey } from "../protocol/ids.ts";
import type {
  ActrRelay,
  RoleNegotiation,
  SignalingEnvelope,
  ActrId as WireId,
} from "../protocol/schema.ts";
import { admits } from "./acl.ts";
import type { Hub } from "./hub.ts";
import { blankCredential, has, type MessageHead } from "./messages.ts";
import type { Reachable } from "./reachable.ts";
import type { Refusal } from "./realms.ts";
import { initiatorOffers } from "./roles.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/**
 * Passes a verified relay on, or settles a role negotiation (`spec/protocol.md` §7.5, §7.6); why not, if so.
 * What passes is unchanged but for the sender's credential, a bearer token that no peer may see.
 */
export function relay(
  hub: Hub,
  from: SignalingSocket,
  envelope: SignalingEnvelope,
  message: ActrRelay,
): Refusal | undefined {
  const target = hub.directory.get(peerKey(fromActrIdMessage(message.target)));
  if (target === undefined) return { code: 404, message: "Relay target is not connected" };
  if (!reaches(hub, from, target)) {
    return { code: 403, message: "ACL policy denies relay to target actor" };
  }
  from.invite(target.key);
  if (message.payload.case === "roleNegotiation") {
    return assignRoles(from, target, message.payload.value);
  }
  if (forward(target, envelope, message)) return undefined;
  return { code: 503, message: "Relay target does not read" };
}

/** A node reaches those whose rules admit it, and those that it was itself reached by: an answer needs no rule of its own. */
function reaches(hub: Hub, from: SignalingSocket, target: Reachable): boolean {
  const withoutRules = hub.options.withoutRules === "allow";
  return admits(target.profile.acl, from.id, withoutRules) || target.hasInvited(from.key);
}

function forward(target: Reachable, envelope: SignalingEnvelope, message: ActrRelay): boolean {
  message.credential = blankCredential;
  return target.send({ case: "actrRelay", value: message }, traceOf(envelope));
}

function traceOf(envelope: SignalingEnvelope): MessageHead {
  return {
    traceparent: has(envelope, "traceparent") ? envelope.traceparent : undefined,
    tracestate: has(envelope, "tracestate") ? envelope.tracestate : undefined,
  };
}

/** Tells both sides their role; both copies name the initiator as source. */
function assignRoles(
  from: SignalingSocket,
  target: Reachable,
  { from: initiator, to }: RoleNegotiation,
): Refusal | undefined {
  if (!names(initiator, from.id) || !names(to, target.id)) {
    return { code: 403, message: "Role negotiation names others than its source and target" };
  }
  const offers = initiatorOffers(from, target);
  assign(from, offers);
  assign(target, !offers);
  return undefined;

  function assign(receiver: Reachable, isOfferer: boolean): void {
    receiver.send({
      case: "actrRelay",
      value: {
        source: from.wireId,
        target: target.wireId,
        credential: blankCredential,
        payload: { case: "roleAssignment", value: { isOfferer } },
      },
    });
  }
}

function names(wire: WireId | undefined, id: ActrId): boolean {
  return wire !== undefined && peerKey(fromActrIdMessage(wire)) === peerKey(id);
}
