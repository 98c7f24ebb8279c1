import { guestErrorCodes } from "../../../src/guest/guest_error.ts";
import type {
  GuestChunk,
  GuestDestination,
  GuestError,
  GuestErrorEvent,
  GuestPeerEvent,
  Invocation,
} from "../../../src/ports/guest_host.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";

/** A case of a variant, as jco has it. */
export interface JcoVariant {
  readonly tag: string;
  readonly val?: unknown;
}

export interface JcoId {
  readonly realm: { readonly realmId: number };
  readonly serialNumber: bigint;
  readonly type: ActrId["type"];
}

export type JcoDestination =
  | { readonly tag: "host" | "workload" }
  | { readonly tag: "peer"; readonly val: JcoId };

export type JcoChunk = Omit<GuestChunk, "metadata" | "timestampMs"> & {
  readonly metadata: { readonly key: string; readonly value: string }[];
  readonly timestampMs?: bigint | undefined;
};

export function isVariant(value: unknown): value is JcoVariant {
  return typeof value === "object" && value !== null && "tag" in value;
}

export function toId({ realm, serial, type }: ActrId): JcoId {
  return { realm: { realmId: realm }, serialNumber: serial, type };
}

export function fromId({ realm, serialNumber, type }: JcoId): ActrId {
  const { manufacturer, name, version } = type;
  return { realm: realm.realmId, serial: serialNumber, type: { manufacturer, name, version } };
}

export function fromDestination(target: JcoDestination): GuestDestination {
  return target.tag === "peer" ? { kind: "peer", id: fromId(target.val) } : { kind: target.tag };
}

export function toChunk({ metadata, timestampMs, ...chunk }: GuestChunk): JcoChunk {
  return { ...chunk, metadata: [...metadata], timestampMs };
}

export function fromChunk({
  streamId,
  sequence,
  payload,
  metadata,
  timestampMs,
}: JcoChunk): GuestChunk {
  const entries = metadata.map(({ key, value }) => ({ key, value }));
  const chunk = { streamId, sequence, payload, metadata: entries };
  return timestampMs === undefined ? chunk : { ...chunk, timestampMs };
}

export function toInvocation({ token, selfId, callerId, requestId }: Invocation): unknown {
  return {
    ctxToken: token,
    selfId: toId(selfId),
    callerId: callerId === undefined ? undefined : toId(callerId),
    requestId,
  };
}

export function toPeerEvent({ peer, relayed, status }: GuestPeerEvent): unknown {
  return { peer: toId(peer), relayed, status: status === undefined ? undefined : { tag: status } };
}

export function toErrorEvent({ source, category, context, timestamp }: GuestErrorEvent): unknown {
  return { source: toError(source), category: { tag: category }, context, timestamp };
}

export function toError({ code, message, retryAfterMs, service }: GuestError): JcoVariant {
  const tag = code.replaceAll("_", "-");
  if (code === "timed_out") return { tag };
  if (code === "dependency_not_found") return { tag, val: { serviceName: service ?? "", message } };
  if (code !== "connection_not_ready") return { tag, val: message };
  const delay = retryAfterMs === undefined ? undefined : BigInt(retryAfterMs);
  return { tag, val: { retryAfterMs: delay } };
}

export function fromError({ tag, val }: JcoVariant): GuestError {
  const code = guestErrorCodes.find((one) => one.replaceAll("_", "-") === tag) ?? "internal";
  if (typeof val === "string") return { code, message: val };
  if (code === "dependency_not_found") {
    const { serviceName, message } = val as { serviceName: string; message: string };
    return { code, message, service: serviceName };
  }
  const delay = (val as { retryAfterMs?: bigint } | undefined)?.retryAfterMs;
  return { code, message: "", ...(delay !== undefined && { retryAfterMs: Number(delay) }) };
}
