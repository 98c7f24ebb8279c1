import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { AclSchema, decode, encode, ServiceSpecSchema } from "../../protocol/schema.ts";
import type { Position } from "../discovery/candidate.ts";
import type { LoadReport, Member, Profile } from "../discovery/directory.ts";

/** What a node said of itself last; the others are told a second after it said so at the latest. */
export interface Report {
  readonly load?: {
    readonly availability: number;
    readonly powerReserve: number;
    readonly backlog: number;
    readonly stickyClients?: readonly string[];
  };
  readonly position?: Position;
}

/** A node that is connected to the server that says so. */
export interface UpFrame {
  readonly kind: "up";
  /** Its ActrId as text. */
  readonly id: string;
  /** Orders the connections of one node on all servers: the greatest is the one it has. */
  readonly stamp: number;
  readonly answersOnly: boolean;
  /** Encoded Acl and ServiceSpec. */
  readonly acl?: Uint8Array;
  readonly spec?: Uint8Array;
  readonly wsAddress?: string;
  readonly report: Report;
}

/** What servers of a cluster tell each other, each of its own nodes alone. */
export type Frame =
  /** First on each line, both ways; `proof` shows who was dialled to know the cluster's secret. */
  | { readonly kind: "hello"; readonly server: number; readonly proof: Uint8Array }
  | UpFrame
  /** Every node that is connected has been told of. */
  | { readonly kind: "synced" }
  /** The connection with this stamp is gone. */
  | { readonly kind: "down"; readonly key: string; readonly stamp: number }
  | { readonly kind: "reports"; readonly reports: readonly (readonly [key: string, Report])[] }
  /** An encoded SignalingEnvelope with a relay for the node `to`. */
  | { readonly kind: "deliver"; readonly to: string; readonly envelope: Uint8Array }
  /** The node `key` has to go. */
  | { readonly kind: "kick"; readonly key: string; readonly reason: string }
  /** Keys or realms in the store are others than before. */
  | { readonly kind: "changed" }
  /** Nothing but a sign of life. */
  | { readonly kind: "beat" }
  /** The server stops: its nodes are gone. */
  | { readonly kind: "bye" };

/** Bytes that a frame takes without what may be long in it, at most. */
const base = 256;
/** Bytes of UTF-8 for one UTF-16 unit, at most. */
const unitBytes = 3;
/** Bytes of reports that share a frame, about. */
const reportFrameBytes = 128 * 1024;

/** Bytes that a frame takes, at most. */
export function weightOf(frame: Frame): number {
  switch (frame.kind) {
    case "deliver":
      return base + frame.envelope.length;
    case "up": {
      const { id, wsAddress = "", acl, spec, report } = frame;
      const texts = base + unitBytes * (id.length + wsAddress.length);
      return texts + (acl?.length ?? 0) + (spec?.length ?? 0) + reportWeight(report);
    }
    case "reports":
      return frame.reports.reduce((sum, [, report]) => sum + reportWeight(report), base);
    default:
      return base;
  }
}

function reportWeight({ load }: Report): number {
  const names = load?.stickyClients ?? [];
  return names.reduce((sum, name) => sum + 8 + unitBytes * name.length, 256);
}

/** Reports as frames of a bounded length. */
export function reportFrames(reports: Iterable<readonly [key: string, Report]>): Frame[] {
  const frames: Frame[] = [];
  let some: (readonly [string, Report])[] = [];
  let bytes = 0;
  for (const each of reports) {
    some.push(each);
    bytes += reportWeight(each[1]);
    if (bytes < reportFrameBytes) continue;
    frames.push({ kind: "reports", reports: some });
    some = [];
    bytes = 0;
  }
  if (some.length > 0) frames.push({ kind: "reports", reports: some });
  return frames;
}

/** Frames as one message: a list in CBOR. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  return encodeCbor(frames);
}

/** Frames of a message; those of kinds that a later release may know are left out by who reads them. @throws ActrError `decode_failure`. */
export function decodeFrames(message: Uint8Array): Frame[] {
  const frames = decodeCbor(message);
  if (!Array.isArray(frames)) throw new ActrError("decode_failure", "the message is no list");
  for (const frame of frames) {
    if (typeof frame?.kind !== "string") throw new ActrError("decode_failure", "no frame");
  }
  return frames as Frame[];
}

/** What a node said of itself last, as it is sent. */
export function reportOf({ load, position }: Pick<Member, "load" | "position">): Report {
  if (load === undefined) return position === undefined ? {} : { position };
  const { availability, powerReserve, backlog, stickyClients: clients } = load;
  const stickyClients = clients && { stickyClients: [...clients] };
  return {
    load: { availability, powerReserve, backlog, ...stickyClients },
    ...(position && { position }),
  };
}

/** The load of a {@link Report}, heard at a time of the monotonic clock. */
export function loadOf({ load }: Report, at: number): LoadReport | undefined {
  if (load === undefined) return undefined;
  const { availability, powerReserve, backlog, stickyClients: clients } = load;
  const stickyClients = clients && { stickyClients: new Set(clients) };
  return { availability, powerReserve, backlog, at, ...stickyClients };
}

/** What a node told of itself when it registered, as it is sent. */
export function profileFields({ acl, spec, wsAddress }: Profile): Partial<UpFrame> {
  return {
    ...(acl && { acl: encode(AclSchema, acl) }),
    ...(spec && { spec: encode(ServiceSpecSchema, spec) }),
    ...(wsAddress !== undefined && { wsAddress }),
  };
}

/** The inverse of {@link profileFields}. @throws ActrError `decode_failure`. */
export function profileOf({ acl, spec, wsAddress }: UpFrame): Profile {
  return {
    ...(acl && { acl: decode(AclSchema, acl) }),
    ...(spec && { spec: decode(ServiceSpecSchema, spec) }),
    ...(wsAddress !== undefined && { wsAddress }),
  };
}
