import type { ActrId } from "../protocol/ids.ts";

/** One side of a WebRTC negotiation, as the server knows it. */
export interface Negotiator {
  readonly id: ActrId;
  /** Whether it connected with `webrtc_role=answer`: it has a fixed port range and must not offer. */
  readonly answersOnly: boolean;
}

/**
 * Whether the side that asked offers (`spec/protocol.md` §7.6): the only side that must answer answers;
 * otherwise the larger tuple of realm, serial, manufacturer and name offers.
 */
export function initiatorOffers(from: Negotiator, to: Negotiator): boolean {
  if (from.answersOnly !== to.answersOnly) return to.answersOnly;
  return larger(from.id, to.id);
}

function larger(a: ActrId, b: ActrId): boolean {
  if (a.realm !== b.realm) return a.realm > b.realm;
  if (a.serial !== b.serial) return a.serial > b.serial;
  if (a.type.manufacturer !== b.type.manufacturer) {
    return a.type.manufacturer > b.type.manufacturer;
  }
  return a.type.name > b.type.name;
}
