import type { GuestChunk, GuestDestination, HostCall } from "../../ports/guest_host.ts";
import { type Lane, lanes } from "../../protocol/frame.ts";
import type { ActrId, ActrType } from "../../protocol/ids.ts";
import { maxMetadataEntries } from "../../protocol/metadata.ts";

/** What a guest asked is of no form that the node knows. */
export class MalformedCall extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** Longest name, key or id that a guest may give, UTF-16 units. */
const longestName = 16_384;
const none = new Uint8Array(0);

const laneOf: ReadonlyMap<unknown, Lane> = new Map([
  ["rpc-reliable", lanes.rpcReliable],
  ["rpc-signal", lanes.rpcSignal],
  ["stream-reliable", lanes.streamReliable],
  ["stream-latency-first", lanes.streamLatencyFirst],
  ["media-rtp", lanes.media],
]);

function malformed(what: string): never {
  throw new MalformedCall(`${what} is missing or not what it should be`);
}

function fields(value: unknown, what: string): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : malformed(what);
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : malformed(what);
}

function string(value: unknown, what: string): string {
  if (typeof value !== "string") return malformed(what);
  if (value.length > longestName) {
    throw new MalformedCall(`${what} has ${value.length} characters, the limit is ${longestName}`);
  }
  return value;
}

function integer(value: unknown, what: string, bits: (n: bigint) => bigint): bigint {
  if (typeof value !== "string" || !/^-?\d{1,20}$/.test(value)) return malformed(what);
  const whole = BigInt(value);
  return bits(whole) === whole ? whole : malformed(what);
}

function u64(value: unknown, what: string): bigint {
  return integer(value, what, (n) => BigInt.asUintN(64, n));
}

function s64(value: unknown, what: string): bigint {
  return integer(value, what, (n) => BigInt.asIntN(64, n));
}

function type(value: unknown): ActrType {
  const { manufacturer, name, version } = fields(value, "the type");
  return {
    manufacturer: string(manufacturer, "the manufacturer"),
    name: string(name, "the name"),
    version: string(version, "the version"),
  };
}

function id(value: unknown): ActrId {
  const [realm, serial, manufacturer, name, version] = list(value, "the id");
  if (typeof realm !== "number" || realm >>> 0 !== realm) return malformed("the realm");
  return { realm, serial: u64(serial, "the serial"), type: type({ manufacturer, name, version }) };
}

function destination(value: unknown): GuestDestination {
  const { kind, id: peer } = fields(value, "the target");
  if (kind === "host" || kind === "workload") return { kind };
  return kind === "peer" ? { kind, id: id(peer) } : malformed("the target");
}

function metadata(value: unknown): GuestChunk["metadata"] {
  const all = list(value, "the metadata");
  if (all.length > maxMetadataEntries) {
    throw new MalformedCall(
      `the chunk has ${all.length} metadata, the limit is ${maxMetadataEntries}`,
    );
  }
  return all.map((entry) => {
    const [key, text] = list(entry, "the metadata");
    return { key: string(key, "a key of metadata"), value: string(text, "a value of metadata") };
  });
}

function chunk(value: unknown, payload: Uint8Array): GuestChunk {
  const { streamId, sequence, metadata: about, timestampMs } = fields(value, "the chunk");
  return {
    streamId: string(streamId, "the stream's id"),
    sequence: u64(sequence, "the sequence"),
    payload,
    metadata: metadata(about),
    ...(timestampMs !== undefined && { timestampMs: s64(timestampMs, "the timestamp") }),
  };
}

/** What a guest asks, of the text and the bytes that it gave. @throws MalformedCall whatever else it gave. */
export function parseCall(text: string, payload: Uint8Array = none): HostCall {
  const call = fields(JSON.parse(text), "the call");
  const token = u64(call["token"], "the token");
  const { name } = call;
  switch (name) {
    case "call":
    case "tell":
      return {
        name,
        token,
        target: destination(call["target"]),
        routeKey: routeKey(call),
        payload,
      };
    case "call-raw":
      return { name, token, target: id(call["target"]), routeKey: routeKey(call), payload };
    case "discover":
      return { name, token, type: type(call["type"]) };
    case "register-stream":
    case "unregister-stream":
      return { name, token, streamId: string(call["streamId"], "the stream's id") };
    case "send-data-chunk": {
      const lane = laneOf.get(call["payloadType"]) ?? malformed("the payload type");
      const target = destination(call["target"]);
      return { name, token, target, chunk: chunk(call["chunk"], payload), lane };
    }
    case "log-message": {
      const level = string(call["level"], "the level");
      return { name, token, level, message: string(call["message"], "the message") };
    }
    default:
      return malformed("the call's name");
  }
}

function routeKey(call: Fields): string {
  return string(call["routeKey"], "the route key");
}
