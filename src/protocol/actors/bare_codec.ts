import { ActrError } from "../../errors.ts";
import { utf8 } from "../bytes.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { BareReader, BareWriter } from "./bare.ts";
import { bareLayer, escaped, revived } from "./escaping.ts";
import type {
  ActorCodec,
  ActorFrame,
  ActorSpecifier,
  ErrorBody,
  QueueResult,
  QueueSend,
  ToServer,
} from "./messages.ts";
import { readArguments } from "./read_tree.ts";

/** The version that is written, and the newest that is read (`spec/actor-client.md` §6). */
const version = 4;

/** Tags of the messages to a client, and to the server, in the order of their unions. */
const toClient = { init: 0, error: 1, output: 2, event: 3 } as const;
const toServer = { action: 0, subscription: 1 } as const;

/** The encoding `bare`: a version, BARE, and CBOR inside it for the payloads. */
export const bareCodec: ActorCodec = {
  encoding: "bare",
  contentType: "application/octet-stream",

  readActionRequest(body) {
    const reader = open(body);
    const args = readPayload(reader.data());
    reader.end();
    return readArguments(args);
  },

  actionResponse: (output) => begin().data(payload(output)).finish(),

  readQueueSend(body): QueueSend {
    const reader = open(body);
    const message = readPayload(reader.data());
    reader.optional(() => reader.str()); // Its name, which the path has said.
    const wait = reader.optional(() => reader.bool()) ?? false;
    const timeout = reader.optional(() => reader.u64());
    reader.end();
    return { body: message, wait, timeoutMs: timeout === undefined ? undefined : Number(timeout) };
  },

  queueResult({ status, response }: QueueResult) {
    const writer = begin().str(status);
    return writer.optional(response, (value) => writer.data(payload(value))).finish();
  },

  error(error) {
    const writer = begin();
    writeError(writer, error);
    return writeActor(writer, error.actor).finish();
  },

  readFrame(frame: ActorFrame): ToServer {
    const reader = open(typeof frame === "string" ? utf8(frame) : frame);
    const message = readMessage(reader);
    reader.end();
    return message;
  },

  init: (actorId, connectionId) =>
    begin().byte(toClient.init).str(actorId).str(connectionId).finish(),

  errorFrame(error, actionId) {
    const writer = begin().byte(toClient.error);
    writeError(writer, error);
    writer.optional(actionId ?? undefined, (id) => writer.uint(id));
    return writeActor(writer, error.actor).finish();
  },

  outputFrame: (id, output) =>
    begin().byte(toClient.output).uint(id).data(payload(output)).finish(),

  event: (name, args) => begin().byte(toClient.event).str(name).data(payload(args)).finish(),
};

function begin(): BareWriter {
  return new BareWriter().byte(version & 0xff).byte(version >> 8);
}

/** A message behind its version. */
function open(bytes: Uint8Array): BareReader {
  const reader = new BareReader(bytes);
  const given = reader.byte() | (reader.byte() << 8);
  if (given >= 1 && given <= version) return reader;
  throw new ActrError("decode_failure", `version ${given} is unknown; 1 to ${version} are`);
}

function readMessage(reader: BareReader): ToServer {
  const tag = reader.byte();
  switch (tag) {
    case toServer.action: {
      const id = reader.uint();
      const name = reader.str();
      return { tag: "ActionRequest", id, name, args: readArguments(readPayload(reader.data())) };
    }
    case toServer.subscription: {
      const eventName = reader.str();
      return { tag: "SubscriptionRequest", eventName, subscribe: reader.bool() };
    }
    default:
      throw new ActrError("decode_failure", `a client sends no message of kind ${tag}`);
  }
}

function writeError(writer: BareWriter, { group, code, message, metadata }: ErrorBody): void {
  writer.str(group).str(code).str(message);
  writer.optional(metadata, (value) => writer.data(payload(value)));
}

function writeActor(writer: BareWriter, actor: ActorSpecifier | undefined): BareWriter {
  return writer.optional(actor, ({ actorId, generation, key }) => {
    writer.str(actorId).uint(BigInt(generation));
    writer.optional(key, (text) => writer.str(text));
  });
}

function payload(value: unknown): Uint8Array {
  return encodeCbor(escaped(value, bareLayer));
}

function readPayload(bytes: Uint8Array): unknown {
  return revived(decodeCbor(bytes));
}
