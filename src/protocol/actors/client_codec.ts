import type { QueueOutcome } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { BareReader, BareWriter } from "./bare.ts";
import { bareLayer, escaped, revived } from "./escaping.ts";
import type { ErrorBody, QueueSend } from "./messages.ts";

/** The version of what a client writes (`spec/actor-client.md` §6). */
const version = 4;

/** Tags of the messages of a connection, in the order of their unions. */
const toServer = { action: 0, subscription: 1 } as const;
const toClient = { init: 0, error: 1, output: 2, event: 3 } as const;

/** What a connected client is sent. */
export type ToClient =
  | { readonly tag: "Init"; readonly actorId: string; readonly connectionId: string }
  /** @property actionId whom it answers; undefined for an error of the connection. */
  | { readonly tag: "Error"; readonly error: ErrorBody; readonly actionId: bigint | undefined }
  | { readonly tag: "ActionResponse"; readonly id: bigint; readonly output: unknown }
  | { readonly tag: "Event"; readonly name: string; readonly args: readonly unknown[] };

/** The body of a call of an action. */
export function writeActionRequest(args: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return begin().data(payload(args)).finish();
}

/** What an action returned. @throws ActrError `decode_failure`. */
export function readActionResponse(body: Uint8Array): unknown {
  return readPayload(open(body));
}

/** The body of a message for a queue. */
export function writeQueueSend(
  name: string,
  { body, wait, timeoutMs }: QueueSend,
): Uint8Array<ArrayBuffer> {
  const writer = begin().data(payload(body));
  writer.optional(name, (text) => writer.str(text));
  writer.optional(wait, (flag) => writer.bool(flag));
  return writer.optional(timeoutMs, (ms) => writeU64(writer, ms)).finish();
}

/** What became of a message. @throws ActrError `decode_failure`. */
export function readQueueResult(body: Uint8Array): QueueOutcome {
  const reader = open(body);
  const status = reader.str();
  switch (status) {
    case "completed":
      return { status, response: reader.optional(() => readPayload(reader)) };
    case "timedOut":
      return { status };
    default:
      throw unknown(status);
  }
}

/** Why a request was refused, or failed. @throws ActrError `decode_failure`. */
export function readErrorBody(body: Uint8Array): ErrorBody {
  return readError(open(body));
}

/** One action on a connection. */
export function writeAction(
  id: bigint,
  name: string,
  args: readonly unknown[],
): Uint8Array<ArrayBuffer> {
  return begin().byte(toServer.action).uint(id).str(name).data(payload(args)).finish();
}

/** Begins, or ends, a subscription on a connection. */
export function writeSubscription(event: string, subscribe: boolean): Uint8Array<ArrayBuffer> {
  return begin().byte(toServer.subscription).str(event).bool(subscribe).finish();
}

/** What came on a connection. @throws ActrError `decode_failure`. */
export function readToClient(frame: Uint8Array): ToClient {
  const reader = open(frame);
  const tag = reader.byte();
  switch (tag) {
    case toClient.init:
      return { tag: "Init", actorId: reader.str(), connectionId: reader.str() };
    case toClient.error: {
      const error = readError(reader);
      return { tag: "Error", error, actionId: reader.optional(() => reader.uint()) };
    }
    case toClient.output:
      return { tag: "ActionResponse", id: reader.uint(), output: readPayload(reader) };
    case toClient.event: {
      const name = reader.str();
      const args = readPayload(reader);
      return { tag: "Event", name, args: Array.isArray(args) ? args : [args] };
    }
    default:
      throw unknown(tag);
  }
}

function begin(): BareWriter {
  return new BareWriter().byte(version).byte(0);
}

/** A body behind its version. */
function open(body: Uint8Array): BareReader {
  const reader = new BareReader(body);
  reader.byte();
  reader.byte();
  return reader;
}

function payload(value: unknown): Uint8Array {
  return encodeCbor(escaped(value, bareLayer));
}

function readPayload(reader: BareReader): unknown {
  return revived(decodeCbor(reader.data()));
}

function readError(reader: BareReader): ErrorBody {
  const [group, code, message] = [reader.str(), reader.str(), reader.str()];
  return { group, code, message, metadata: reader.optional(() => readPayload(reader)) };
}

function writeU64(writer: BareWriter, value: number): void {
  for (let shift = 0n; shift < 64n; shift += 8n) {
    writer.byte(Number((BigInt(value) >> shift) & 0xffn));
  }
}

function unknown(what: string | number): ActrError {
  return new ActrError("decode_failure", `a node of actors sends no ${what}`);
}
