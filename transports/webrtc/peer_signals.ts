import { assertNever } from "../../src/errors.ts";
import type { IceCandidate, LocalCandidate } from "../../src/ports/peer_connections.ts";
import { toActrIdMessage } from "../../src/protocol/id_messages.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import {
  IceCandidateSchema,
  isFieldSet,
  SessionDescriptionSchema,
  type IceCandidate as WireCandidate,
  type SessionDescription as WireDescription,
  SessionDescription_Type as wireTypes,
} from "../../src/protocol/schema.ts";
import type { RelayInit, RelayPayload } from "../../src/signaling/signaling_listeners.ts";

/** Longest description that a peer may send, exchange id, and text of a candidate, characters. */
const maxDescriptionLength = 65_536;
const maxExchangeIdLength = 256;
const maxCandidateLength = 1_024;

/** What an offer is for: a new connection, other media on it, or another path for it. */
export type OfferKind = "offer" | "renegotiation" | "restart";

/** A description on its way between two peers; the answer repeats the exchange id of its offer. */
export interface SignaledDescription {
  readonly kind: OfferKind | "answer";
  readonly sdp: string;
  readonly exchangeId: string | undefined;
}

/** What signaling brings about a connection (`spec/transport.md` §6.1). */
export type PeerSignal =
  | SignaledDescription
  | { readonly kind: "candidate"; readonly candidate: IceCandidate }
  | { readonly kind: "role"; readonly isOfferer: boolean }
  | { readonly kind: "restart_request" };

const kinds: readonly SignaledDescription["kind"][] = [
  "offer",
  "answer",
  "renegotiation",
  "restart",
];

/** The signal in a relayed message; undefined for one that is none of a peer's, or beyond what a stack should be given. */
export function readSignal(payload: RelayPayload): PeerSignal | undefined {
  switch (payload.case) {
    case "sessionDescription":
      return readDescription(payload.value);
    case "iceCandidate":
      return readCandidate(payload.value);
    case "roleAssignment":
      return { kind: "role", isOfferer: payload.value.isOfferer };
    case "iceRestartRequest":
      return { kind: "restart_request" };
    case "roleNegotiation":
      return undefined;
    default:
      return assertNever(payload);
  }
}

function readDescription(message: WireDescription): SignaledDescription | undefined {
  const kind = kinds[message.type];
  const { sdp, sdpExchangeId } = message;
  if (kind === undefined || sdp.length > maxDescriptionLength) return undefined;
  if (sdpExchangeId.length > maxExchangeIdLength) return undefined;
  const named = isFieldSet(message, SessionDescriptionSchema.field.sdpExchangeId);
  return { kind, sdp, exchangeId: named ? sdpExchangeId : undefined };
}

function readCandidate(message: WireCandidate): PeerSignal | undefined {
  const { candidate, sdpMid, sdpMlineIndex, usernameFragment } = message;
  const longest = Math.max(candidate.length, sdpMid.length, usernameFragment.length);
  if (longest > maxCandidateLength || sdpMlineIndex > 0xffff) return undefined;
  const placed = isFieldSet(message, IceCandidateSchema.field.sdpMlineIndex);
  return {
    kind: "candidate",
    candidate: {
      candidate,
      ...(sdpMid === "" ? {} : { sdpMid }),
      ...(placed ? { sdpMLineIndex: sdpMlineIndex } : {}),
      ...(usernameFragment === "" ? {} : { usernameFragment }),
    },
  };
}

/** The message of a description. */
export function descriptionMessage({ kind, sdp, exchangeId }: SignaledDescription): RelayInit {
  const type = {
    offer: wireTypes.OFFER,
    answer: wireTypes.ANSWER,
    renegotiation: wireTypes.RENEGOTIATION_OFFER,
    restart: wireTypes.ICE_RESTART_OFFER,
  }[kind];
  const id = exchangeId === undefined ? {} : { sdpExchangeId: exchangeId };
  return { case: "sessionDescription", value: { type, sdp, ...id } };
}

/** The message of a candidate of this side. */
export function candidateMessage(local: LocalCandidate): RelayInit {
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = local;
  const mid = sdpMid === "" ? {} : { sdpMid };
  const value = { candidate, ...mid, sdpMlineIndex: sdpMLineIndex, usernameFragment };
  return { case: "iceCandidate", value };
}

/** Asks the server who offers. */
export function roleMessage(self: ActrId, peer: ActrId): RelayInit {
  const [from, to] = [toActrIdMessage(self), toActrIdMessage(peer)];
  return { case: "roleNegotiation", value: { from, to, realmId: self.realm } };
}

/** Asks the side that offered for another path; the reason is the only one that peers know. */
export const restartRequest: RelayInit = {
  case: "iceRestartRequest",
  value: { reason: "network_recovered" },
};
