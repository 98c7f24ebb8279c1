import type { ActrId, ErrorEvent, PeerEvent, Timestamp } from "../author.ts";
import { type ErrorText, errorOf } from "./errors.ts";

/** An id in a text: realm, serial, manufacturer, name, version. */
export type IdText = readonly [number, string, string, string, string];

/** Seconds and nanoseconds. */
export type TimeText = readonly [string, number];

export function id([realmId, serial, manufacturer, name, version]: IdText): ActrId {
  return {
    realm: { realmId },
    serialNumber: BigInt(serial),
    type: { manufacturer, name, version },
  };
}

export function idText({ realm, serialNumber, type }: ActrId): IdText {
  return [realm.realmId, `${serialNumber}`, type.manufacturer, type.name, type.version];
}

export function time([seconds, nanoseconds]: TimeText): Timestamp {
  return { seconds: BigInt(seconds), nanoseconds };
}

export interface PeerText {
  readonly peer: IdText;
  readonly relayed?: boolean;
  readonly status?: NonNullable<PeerEvent["status"]>["tag"];
}

export function peerEvent({ peer, relayed, status }: PeerText): PeerEvent {
  return {
    peer: id(peer),
    ...(relayed !== undefined && { relayed }),
    ...(status !== undefined && { status: { tag: status } }),
  };
}

export interface FailureText {
  readonly source: ErrorText;
  readonly category: ErrorEvent["category"]["tag"];
  readonly context: string;
  readonly at: TimeText;
}

export function errorEvent({ source, category, context, at }: FailureText): ErrorEvent {
  const { tag, val } = errorOf(source);
  const error = { tag, val } as ErrorEvent["source"];
  return { source: error, category: { tag: category }, context, timestamp: time(at) };
}
