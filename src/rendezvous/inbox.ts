import { ActrError, assertNever } from "../errors.ts";
import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { actrIdEquals } from "../protocol/ids.ts";
import type { AIdCredential, SignalingEnvelope, ActrId as WireId } from "../protocol/schema.ts";
import { decodeSignaling } from "../protocol/signaling.ts";
import type { Refusal } from "./ais/realms.ts";
import type { Hub } from "./hub.ts";
import { blankCredential, type Flow } from "./messages.ts";
import { relay } from "./relays.ts";
import { serve } from "./requests.ts";
import type { SignalingSocket } from "./signaling_socket.ts";

/** Handles one message of a connection; a promise, which never rejects, when a new credential has to be checked first. */
export function receive(
  hub: Hub,
  from: SignalingSocket,
  data: Uint8Array,
): undefined | Promise<void> {
  const envelope = decoded(hub, from, data);
  if (envelope === undefined) return undefined;
  const now = hub.clock.monotonic();
  if (from.bucket.take(now)) return route(hub, from, envelope, data);
  const { messagesPerSecond } = hub.options.limits;
  if (from.refusals.take(now))
    from.send(tooMany(messagesPerSecond), { replyFor: envelope.envelopeId });
  else from.close(1008, "too many messages");
  return undefined;
}

/** The envelope; a connection that sends anything else ends with 1007. */
function decoded(hub: Hub, from: SignalingSocket, data: Uint8Array): SignalingEnvelope | undefined {
  try {
    return decodeSignaling(data);
  } catch (error) {
    const { message } = ActrError.from(error);
    hub.log.warn("rendezvous.signaling.junk", {
      peer: from.key,
      bytes: data.length,
      reason: message,
    });
    from.close(1007, "not a SignalingEnvelope");
    return undefined;
  }
}

function route(
  hub: Hub,
  from: SignalingSocket,
  { envelopeId, flow }: SignalingEnvelope,
  data: Uint8Array,
): undefined | Promise<void> {
  switch (flow.case) {
    case "actrToServer":
      hub.tally.messages.add(flow.value.payload.case ?? "nothing");
      return whenVerified(hub, from, envelopeId, flow.value, mismatchInRequest, () => {
        serve(hub, from, flow.value.payload, envelopeId);
      });
    case "actrRelay":
      hub.tally.messages.add(flow.value.payload.case ?? "nothing");
      return whenVerified(hub, from, envelopeId, flow.value, mismatchInRelay, () => {
        const refusal = relay(hub, from, flow.value, data);
        if (refusal !== undefined) refuse(hub, from, refusal, envelopeId);
      });
    case "peerToServer":
      from.send(registerByHttp, { replyFor: envelopeId });
      return undefined;
    case "serverToActr":
    case "envelopeError":
    case undefined:
      hub.log.debug("rendezvous.signaling.ignored", { peer: from.key, flow: flow.case });
      return undefined;
    default:
      return assertNever(flow);
  }
}

function refuse(hub: Hub, from: SignalingSocket, refusal: Refusal, replyFor: string): undefined {
  hub.tally.refusals.add(String(refusal.code));
  from.refuse(refusal, replyFor);
}

interface Signed {
  readonly source?: WireId | undefined;
  readonly credential?: AIdCredential | undefined;
}

/**
 * Runs `then` once the message is known to come from this connection's node: named as source, with a credential of
 * its own that holds, and still in sight. Otherwise it is answered with an error.
 */
function whenVerified(
  hub: Hub,
  from: SignalingSocket,
  replyFor: string,
  { source, credential = blankCredential }: Signed,
  mismatch: Refusal,
  then: () => void,
): undefined | Promise<void> {
  const named = source !== undefined && actrIdEquals(fromActrIdMessage(source), from.id);
  const refusal = named ? hub.realms.refusal(from.id.realm) : mismatch;
  if (refusal !== undefined) return refuse(hub, from, refusal, replyFor);
  const denied = (error: unknown): undefined => {
    const { message } = ActrError.from(error);
    refuse(hub, from, { code: 401, message: `Credential validation failed: ${message}` }, replyFor);
  };
  const run = (): undefined => guarded(hub, from, replyFor, then);
  try {
    const checking = from.credentials.check(credential);
    return checking === undefined ? run() : checking.then(run, denied);
  } catch (error) {
    return denied(error);
  }
}

/** Runs `then` if the node is still in sight; what it throws (a message that lacks required fields cannot be passed on) is answered, never let out. */
function guarded(hub: Hub, from: SignalingSocket, replyFor: string, then: () => void): undefined {
  if (!hub.directory.has(from)) return refuse(hub, from, noLongerHere, replyFor);
  try {
    then();
  } catch (error) {
    const { message } = ActrError.from(error);
    hub.log.warn("rendezvous.signaling.failed", { peer: from.key, reason: message });
    refuse(hub, from, { code: 400, message: `Invalid message: ${message}` }, replyFor);
  }
}

const mismatchInRequest: Refusal = {
  code: 401,
  message: "Credential validation failed: source is not the node of this connection",
};

const mismatchInRelay: Refusal = {
  code: 403,
  message: "Source identity mismatch: relay.source does not match credential",
};

const noLongerHere: Refusal = { code: 403, message: "This connection has been unregistered" };

/** Registration over signaling is gone; the target is the one that the original answers with (`spec/protocol.md` §7.3). */
const registerByHttp: Flow = {
  case: "serverToActr",
  value: {
    target: {
      realm: { realmId: 0 },
      serialNumber: 0n,
      type: { manufacturer: "temp", name: "temp", version: "1.0.0" },
    },
    payload: {
      case: "registerResponse",
      value: {
        result: {
          case: "error",
          value: { code: 410, message: "Register over HTTP at /ais/register" },
        },
      },
    },
  },
};

function tooMany(limit: number): Flow {
  const message = `Too many messages. Limit: ${limit} messages/second`;
  return { case: "envelopeError", value: { code: 429, message } };
}
