import type {
  GuestChunk,
  GuestDestination,
  GuestError,
  GuestErrorCode,
} from "../../../ports/guest_host.ts";
import type { Lane } from "../../../protocol/frame.ts";
import type { ActrId, ActrType } from "../../../protocol/ids.ts";
import { maxMetadataEntries } from "../../../protocol/metadata.ts";
import { guestErrorCodes } from "../../guest_error.ts";
import type { GuestMemory } from "./guest_memory.ts";
import { exceed, trap } from "./trap.ts";

// Every function reads a value at `at`, which is known to be inside, in the layout of the canonical ABI
// (`spec/guest.md` §17). None runs the guest.

/** `actr-type`: three texts. */
export function liftType(memory: GuestMemory, at: number): ActrType {
  return {
    manufacturer: memory.liftText(at),
    name: memory.liftText(at + 8),
    version: memory.liftText(at + 16),
  };
}

/** `actr-id`: realm 0, serial 8, type 16. */
export function liftId(memory: GuestMemory, at: number): ActrId {
  return {
    realm: memory.view.getUint32(at, true),
    serial: memory.view.getBigUint64(at + 8, true),
    type: liftType(memory, at + 16),
  };
}

/** `dest`: case 0, peer 8. */
export function liftDestination(memory: GuestMemory, at: number): GuestDestination {
  switch (memory.view.getUint8(at)) {
    case 0:
      return { kind: "host" };
    case 1:
      return { kind: "workload" };
    case 2:
      return { kind: "peer", id: liftId(memory, at + 8) };
    default:
      return trap("a destination has no such case");
  }
}

/** `payload-type`, whose cases are numbered as lanes are. */
export function liftLane(memory: GuestMemory, at: number): Lane {
  const lane = memory.view.getUint8(at);
  if (lane > 4) trap("a payload type has no such case");
  return lane as Lane;
}

/** `data-chunk`: stream 0, sequence 8, payload 16, metadata 24, timestamp 32 and 40. */
export function liftChunk(memory: GuestMemory, at: number): GuestChunk {
  const { view } = memory;
  const chunk = {
    streamId: memory.liftText(at),
    sequence: view.getBigUint64(at + 8, true),
    payload: memory.liftBytes(at + 16),
    metadata: liftMetadata(memory, at + 24),
  };
  if (!liftFlag(view.getUint8(at + 32))) return chunk;
  return { ...chunk, timestampMs: view.getBigInt64(at + 40, true) };
}

function liftMetadata(memory: GuestMemory, at: number): GuestChunk["metadata"] {
  const { place, count } = memory.liftElements(at, 4, 16);
  if (count > maxMetadataEntries) exceed(`${maxMetadataEntries} entries of metadata`);
  return Array.from({ length: count }, (_, index) => ({
    key: memory.liftText(place + 16 * index),
    value: memory.liftText(place + 16 * index + 8),
  }));
}

/** Whether an option is there, or a result an error. */
export function liftFlag(discriminant: number): boolean {
  if (discriminant >>> 0 > 1) trap("a discriminant is neither 0 nor 1");
  return discriminant === 1;
}

/** The flat form of `actr-error`, as results of entries carry it: numbers of the case, then of its value. */
export interface FlatError {
  readonly tag: number;
  readonly a: number;
  readonly b: bigint;
  readonly c: number;
  readonly d: number;
}

/** An error: texts are (a, b) and (c, d), the delay of `connection-not-ready` is b if a is 1. */
export function liftError(memory: GuestMemory, { tag, a, b, c, d }: FlatError): GuestError {
  const code: GuestErrorCode = guestErrorCodes[tag] ?? trap("an error has no such case");
  if (code === "timed_out") return { code, message: "" };
  if (code === "connection_not_ready") {
    if (!liftFlag(a)) return { code, message: "" };
    return { code, message: "", retryAfterMs: Number(BigInt.asUintN(64, b)) };
  }
  const text = memory.textAt(a >>> 0, Number(BigInt.asUintN(32, b)));
  if (code !== "dependency_not_found") return { code, message: text };
  return { code, service: text, message: memory.textAt(c >>> 0, d >>> 0) };
}
