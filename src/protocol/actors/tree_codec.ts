import { ActrError } from "../../errors.ts";
import { utf8 } from "../bytes.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { cborLayer, escaped, escapedOutput, jsonLayer, type Layer, revived } from "./escaping.ts";
import type { ActorCodec, ActorFrame, ErrorBody, QueueResult } from "./messages.ts";
import { readArguments, readQueueTree, readToServer, readTree, type Tree } from "./read_tree.ts";

/** How trees are written: JSON or CBOR. */
interface Notation {
  readonly encoding: "json" | "cbor";
  readonly contentType: string;
  readonly layer: Layer;
  encode(tree: Tree): ActorFrame;
  /** The message with what an action returned, its escapes made. */
  answer(id: bigint, output: unknown): ActorFrame;
  decode(frame: ActorFrame): unknown;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

const json: Notation = {
  encoding: "json",
  contentType: "application/json",
  layer: jsonLayer,
  encode: (tree) => JSON.stringify(tree),
  // Most messages are answers, and this takes a fifth of the time of the whole tree.
  answer(id, output) {
    // As in an object, what JSON has no text for is left out.
    const text: string | undefined = JSON.stringify(output);
    const field = text === undefined ? "" : `,"output":${text}`;
    return `{"body":{"tag":"ActionResponse","val":{"id":["$BigInt","${id}"]${field}}}}`;
  },
  decode: (frame) => revived(parseJson(frame)),
};

/** Requests have none of the array forms, so nothing is revived (`spec/actor-client.md` §5.1). */
const cbor: Notation = {
  encoding: "cbor",
  contentType: "application/octet-stream",
  layer: cborLayer,
  encode: (tree) => encodeCbor(tree),
  answer: (id, output) => encodeCbor({ body: { tag: "ActionResponse", val: { id, output } } }),
  decode: (frame) => decodeCbor(typeof frame === "string" ? utf8(frame) : frame),
};

function parseJson(frame: ActorFrame): unknown {
  try {
    return JSON.parse(typeof frame === "string" ? frame : decoder.decode(frame));
  } catch (cause) {
    throw new ActrError("decode_failure", "the message is no JSON", { cause });
  }
}

/** Messages as objects with the payloads inside them. */
class TreeCodec implements ActorCodec {
  readonly encoding: "json" | "cbor";
  readonly contentType: string;
  readonly #notation: Notation;

  constructor(notation: Notation) {
    this.#notation = notation;
    this.encoding = notation.encoding;
    this.contentType = notation.contentType;
  }

  readActionRequest(body: Uint8Array<ArrayBuffer>): readonly unknown[] {
    return readArguments(this.#read(body)["args"]);
  }

  actionResponse(output: unknown): Uint8Array<ArrayBuffer> {
    return this.#body({ output: escapedOutput(output, this.#notation.layer) });
  }

  readQueueSend(body: Uint8Array<ArrayBuffer>): ReturnType<typeof readQueueTree> {
    return readQueueTree(this.#read(body));
  }

  queueResult({ status, response }: QueueResult): Uint8Array<ArrayBuffer> {
    if (response === undefined) return this.#body({ status });
    return this.#body({ status, response: escaped(response, this.#notation.layer) });
  }

  error(error: ErrorBody): Uint8Array<ArrayBuffer> {
    return this.#body(this.#errorTree(error));
  }

  readFrame(frame: ActorFrame): ReturnType<typeof readToServer> {
    return readToServer(readTree(this.#notation.decode(frame)));
  }

  init(actorId: string, connectionId: string): ActorFrame {
    return this.#frame("Init", { actorId, connectionId });
  }

  errorFrame(error: ErrorBody, actionId: bigint | null): ActorFrame {
    return this.#frame("Error", { ...this.#errorTree(error), actionId: this.#id(actionId) });
  }

  outputFrame(id: bigint, output: unknown): ActorFrame {
    return this.#notation.answer(id, escapedOutput(output, this.#notation.layer));
  }

  event(name: string, args: readonly unknown[]): ActorFrame {
    return this.#frame("Event", { name, args: escaped(args, this.#notation.layer) });
  }

  #id(id: bigint | null): unknown {
    return escaped(id, this.#notation.layer);
  }

  /** What is not there must not be there: clients drop a message with an empty field. */
  #errorTree({ group, code, message, metadata, actor }: ErrorBody): Tree {
    return {
      group,
      code,
      message,
      ...(metadata === undefined ? {} : { metadata: escaped(metadata, this.#notation.layer) }),
      ...(actor === undefined ? {} : { actor }),
    };
  }

  #frame(tag: string, val: Tree): ActorFrame {
    return this.#notation.encode({ body: { tag, val } });
  }

  #read(body: Uint8Array<ArrayBuffer>): Tree {
    return readTree(this.#notation.decode(body));
  }

  #body(tree: Tree): Uint8Array<ArrayBuffer> {
    const frame = this.#notation.encode(tree);
    return typeof frame === "string" ? utf8(frame) : frame;
  }
}

/** The encoding `json`. */
export const jsonCodec: ActorCodec = new TreeCodec(json);

/** The encoding `cbor`. */
export const cborCodec: ActorCodec = new TreeCodec(cbor);
