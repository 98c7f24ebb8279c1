import { assertNever } from "../errors.ts";
import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { actrIdEquals } from "../protocol/ids.ts";
import {
  type ActrToSignaling,
  CredentialWarning_WarningType,
  type ErrorResponse,
  type GetSigningKeyRequest,
  type Ping,
  type UnregisterRequest,
} from "../protocol/schema.ts";
import { discovery, routeCandidates, serviceSpec } from "./discovery/discovery_answers.ts";
import { loadReport } from "./discovery/load_report.ts";
import type { Hub } from "./hub.ts";
import type { Payload } from "./messages.ts";
import { withdraw } from "./sight.ts";
import type { SignalingSocket } from "./signaling_socket.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";

type Request = ActrToSignaling["payload"];

/** To a request of a kind that is not known here, or of none: its sender need not wait for more. */
const unknown: Payload = { case: "error", value: { code: 400, message: "Unknown request" } };

/** Characters of a node's own words that go into the log. */
const longestLogged = 200;

/** Serves a verified request (`spec/protocol.md` §7.3). */
export function serve(hub: Hub, from: SignalingSocket, request: Request, replyFor: string): void {
  const payload = answer(hub, from, request, replyFor);
  if (payload !== undefined) from.tell(payload, replyFor);
}

/** What a request gets; undefined where nothing does, or it was answered already. */
function answer(
  hub: Hub,
  from: SignalingSocket,
  request: Request,
  replyFor: string,
): Payload | undefined {
  switch (request.case) {
    case "ping":
      return pong(hub, from, request.value);
    case "unregisterRequest":
      return unregister(hub, from, request.value);
    case "routeCandidatesRequest":
      return routeCandidates(hub, from, request.value);
    case "getSigningKeyRequest":
      return signingKey(hub, request.value);
    case "discoveryRequest":
      return discovery(hub, from, request.value);
    case "getServiceSpecRequest":
      return serviceSpec(hub, from, request.value);
    case "subscribeActrUpRequest":
      return subscribe(hub, from, request.value.targetType, replyFor);
    case "unsubscribeActrUpRequest":
      return unsubscribe(hub, from, request.value.targetType, replyFor);
    case "error":
      return noted(hub, from, request.value);
    case undefined:
      return unknown;
    default:
      return assertNever(request);
  }
}

function noted(hub: Hub, from: SignalingSocket, { code, message }: ErrorResponse): undefined {
  const text = message.slice(0, longestLogged);
  hub.log.warn("rendezvous.signaling.node_error", {
    peer: from.key,
    error_code: code,
    reason: text,
  });
}

/** Keeps the report and tells the time; warns in the last third of the credential's life, since real clients renew only when told. */
function pong(hub: Hub, from: SignalingSocket, ping: Ping): Payload {
  from.load = loadReport(ping, hub.clock.monotonic());
  hub.neighbours.reported(from);
  const seconds = Math.floor(hub.clock.now() / 1000);
  const value = {
    seq: BigInt(seconds),
    suggestIntervalSecs: Math.round(hub.options.heartbeatIntervalMs / 1000),
  };
  const message = from.credentials.warning(hub.options.credentialTtlMs);
  if (message === undefined) return { case: "pong", value };
  const type = CredentialWarning_WarningType.KEY_IN_TOLERANCE_PERIOD;
  const credentialWarning = { type, message };
  return { case: "pong", value: { ...value, credentialWarning } };
}

/** Removes the node from sight at once; its socket stays until the node closes it, as real nodes expect. */
function unregister(hub: Hub, from: SignalingSocket, { actrId }: UnregisterRequest): Payload {
  if (actrId !== undefined && !actrIdEquals(fromActrIdMessage(actrId), from.id)) {
    const error = { code: 403, message: "A node can unregister none but itself" };
    return { case: "unregisterResponse", value: { result: { case: "error", value: error } } };
  }
  withdraw(hub, from);
  hub.invitations.drop(from.key);
  hub.log.info("rendezvous.signaling.unregistered", { peer: from.key });
  return { case: "unregisterResponse", value: { result: { case: "success", value: {} } } };
}

function signingKey(hub: Hub, { keyId }: GetSigningKeyRequest): Payload {
  const pubkey = hub.keys.publicKey(keyId);
  if (pubkey !== undefined) return { case: "getSigningKeyResponse", value: { keyId, pubkey } };
  return { case: "error", value: { code: 404, message: `Signing key ${keyId} not found` } };
}
