import type {
  GuestChunk,
  GuestEntry,
  GuestErrorEvent,
  GuestPeerEvent,
  GuestTimestamp,
  Invocation,
} from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";

/** An id as texts have it: realm, serial, manufacturer, name, version. */
export type IdText = readonly [number, string, string, string, string];

/** The text form of an id. */
export function idText({ realm, serial, type }: ActrId): IdText {
  return [realm, serial.toString(), type.manufacturer, type.name, type.version];
}

/** `on-data-chunk` as a workload's property has it: `onDataChunk`. */
function property(name: GuestEntry["name"]): string {
  return name.replace(/-./g, ([, letter]) => letter?.toUpperCase() ?? "");
}

const properties = new Map<GuestEntry["name"], string>();

function propertyOf(name: GuestEntry["name"]): string {
  const known = properties.get(name);
  if (known !== undefined) return known;
  const made = property(name);
  properties.set(name, made);
  return made;
}

function time({ seconds, nanoseconds }: GuestTimestamp): readonly [string, number] {
  return [seconds.toString(), nanoseconds];
}

function chunk({ streamId, sequence, metadata, timestampMs }: GuestChunk, sender: ActrId): object {
  return {
    streamId,
    sequence: sequence.toString(),
    metadata: metadata.map(({ key, value }) => [key, value]),
    ...(timestampMs !== undefined && { timestampMs: timestampMs.toString() }),
    sender: idText(sender),
  };
}

function failure({ source, category, context, timestamp }: GuestErrorEvent): object {
  return { source, category, context, at: time(timestamp) };
}

function peer({ peer, relayed, status }: GuestPeerEvent): object {
  return { peer: idText(peer), relayed, status };
}

function dataOf(entry: GuestEntry): unknown {
  switch (entry.name) {
    case "dispatch":
      return entry.envelope.routeKey;
    case "on-data-chunk":
      return chunk(entry.chunk, entry.sender);
    case "on-error":
      return failure(entry.event);
    case "on-websocket-connecting":
    case "on-websocket-connected":
    case "on-websocket-disconnected":
    case "on-webrtc-connecting":
    case "on-webrtc-connected":
    case "on-webrtc-disconnected":
      return peer(entry.event);
    case "on-credential-renewed":
    case "on-credential-expiring":
      return time(entry.event.newExpiry);
    case "on-mailbox-backpressure":
      return [entry.event.queueLength.toString(), entry.event.threshold.toString()];
    default:
      return undefined;
  }
}

/** The text of an id in a text: a guest that reads it takes it apart. A node and its peers have few, which come again and again. */
const idTexts = new WeakMap<ActrId, string>();

function textOf(id: ActrId): string {
  const known = idTexts.get(id);
  if (known !== undefined) return known;
  const made = JSON.stringify(JSON.stringify(idText(id)));
  idTexts.set(id, made);
  return made;
}

/** What a guest is told of an entry, but its payload: JSON of the handler's name, its context, and what else it is told. */
export function entryText(entry: GuestEntry, invocation: Invocation): string {
  const { token, selfId, callerId, requestId } = invocation;
  const caller = callerId === undefined ? "null" : textOf(callerId);
  const context = `["${token}",${JSON.stringify(requestId)},${textOf(selfId)},${caller}]`;
  return `["${propertyOf(entry.name)}",${context},${JSON.stringify(dataOf(entry)) ?? "null"}]`;
}

/** The bytes that go beside it. */
export function payloadOf(entry: GuestEntry): Uint8Array | undefined {
  if (entry.name === "dispatch") return entry.envelope.payload;
  return entry.name === "on-data-chunk" ? entry.chunk.payload : undefined;
}
