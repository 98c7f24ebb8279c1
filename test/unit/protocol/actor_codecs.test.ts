import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { codecOf } from "../../../src/protocol/actors/codecs.ts";
import { revived } from "../../../src/protocol/actors/escaping.ts";
import type { ActorCodec, ActorFrame, ErrorBody } from "../../../src/protocol/actors/messages.ts";
import { fromHex, toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";

interface Vector {
  readonly name: string;
  readonly encoding: string;
  readonly from: "client" | "mock";
  readonly hex: string;
  readonly meaning: unknown;
}

const file = new URL("../../vectors/actor-client.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] };

type Fields = Record<string, unknown>;

/** What the file says, in values: it writes bigints as `5n`, bytes in bare as `h'…'`, and undefined in words. */
function meant(meaning: unknown, encoding: string): unknown {
  if (typeof meaning === "string") {
    if (meaning === "(undefined)") return undefined;
    if (/^\d+n$/.test(meaning)) return BigInt(meaning.slice(0, -1));
    const hex = /^h'([0-9a-f]*)'$/.exec(meaning)?.[1];
    return hex === undefined ? meaning : revived(decodeCbor(fromHex(hex) ?? assert.fail(hex)));
  }
  if (Array.isArray(meaning)) return meaning.map((each) => meant(each, encoding));
  if (typeof meaning !== "object" || meaning === null) return meaning;
  return Object.fromEntries(
    Object.entries(meaning)
      .filter(([, each]) => encoding !== "bare" || each !== null)
      .map(([key, each]) => [key, meant(each, encoding)]),
  );
}

function meaningOf({ meaning, encoding }: Vector): Fields {
  const fields = meant(meaning, encoding) as Fields;
  return encoding === "bare" ? (fields["value"] as Fields) : (revived(fields) as Fields);
}

function codec(encoding: string): ActorCodec {
  return codecOf(encoding) ?? assert.fail(encoding);
}

function hexOf(frame: ActorFrame): string {
  return toHex(typeof frame === "string" ? utf8(frame) : frame);
}

/** What the client sent, read by us. */
function read(vector: Vector): unknown {
  const { encoding, hex, name } = vector;
  const bytes = fromHex(hex) ?? assert.fail(hex);
  const { readActionRequest, readQueueSend, readFrame } = bound(codec(encoding));
  if (name.startsWith("HTTP request action/")) return { args: readActionRequest(bytes) };
  if (name.startsWith("HTTP request queue/")) {
    const { body, wait, timeoutMs } = readQueueSend(bytes);
    return { body, wait, timeout: timeoutMs };
  }
  const { tag, ...val } = readFrame(encoding === "json" ? new TextDecoder().decode(bytes) : bytes);
  return { tag, val };
}

function bound(of: ActorCodec): ActorCodec {
  return {
    ...of,
    readActionRequest: (body) => of.readActionRequest(body),
    readQueueSend: (body) => of.readQueueSend(body),
    readFrame: (frame) => of.readFrame(frame),
  };
}

function expected(vector: Vector): unknown {
  const meaning = meaningOf(vector);
  if (vector.name.startsWith("HTTP request action/")) return meaning;
  if (vector.name.startsWith("HTTP request queue/")) {
    const { body, wait, timeout } = meaning;
    return { body, wait, timeout: timeout === undefined ? undefined : Number(timeout) };
  }
  return meaning["body"];
}

/** What the client accepted, written by us. */
function write(vector: Vector): string {
  const of = codec(vector.encoding);
  const meaning = meaningOf(vector);
  if (/^HTTP response action\/.* 200$/.test(vector.name)) {
    return hexOf(of.actionResponse(meaning["output"]));
  }
  if (vector.name.startsWith("HTTP response queue/"))
    return hexOf(of.queueResult(meaning as never));
  if (vector.name.startsWith("HTTP response")) return hexOf(of.error(meaning as never));
  const { tag, val } = meaning["body"] as { tag: string; val: Fields };
  switch (tag) {
    case "Init":
      return hexOf(of.init(String(val["actorId"]), String(val["connectionId"])));
    case "Event":
      return hexOf(of.event(String(val["name"]), val["args"] as unknown[]));
    case "ActionResponse":
      return hexOf(of.outputFrame(val["id"] as bigint, val["output"]));
    default: {
      const { actionId, ...error } = val;
      return hexOf(of.errorFrame(error as unknown as ErrorBody, (actionId as bigint) ?? null));
    }
  }
}

/** Fields in another order are the same message. */
function sorted(encoding: string, hex: string): unknown {
  const bytes = fromHex(hex) ?? assert.fail(hex);
  if (encoding === "json") return JSON.parse(new TextDecoder().decode(bytes));
  return encoding === "cbor" ? decodeCbor(bytes) : hex;
}

describe("[V-actor-client.vectors] encodings of actor clients", () => {
  for (const [index, vector] of vectors.entries()) {
    const { encoding, from, name } = vector;
    it(`${encoding}: ${from === "client" ? "reads" : "writes"} ${name} (${index})`, () => {
      if (from === "client") return assert.deepEqual(read(vector), expected(vector));
      assert.deepEqual(sorted(encoding, write(vector)), sorted(encoding, vector.hex));
    });
  }
});

describe("encodings of actor clients", () => {
  for (const encoding of ["json", "cbor", "bare"]) {
    it(`${encoding}: refuses what is no message`, () => {
      const of = codec(encoding);
      for (const hex of ["", "00", "ff", "0500", "040007", "0400028181", "7b", "5b5d", "a0"]) {
        const bytes = fromHex(hex) ?? assert.fail(hex);
        const frame = encoding === "json" ? new TextDecoder().decode(bytes) : bytes;
        assert.throws(() => of.readFrame(frame), { code: "decode_failure" }, hex);
      }
    });
  }

  it("json: a form that is none, and a number of too many digits, are refused", () => {
    for (const value of [
      ["$Nope", 1],
      ["$BigInt", "x"],
      ["$BigInt", "1".repeat(5000)],
      ["$Uint8Array", "?"],
    ]) {
      const body = utf8(JSON.stringify({ args: [value] }));
      assert.throws(() => codec("json").readActionRequest(body), { code: "decode_failure" });
    }
  });

  it("json: sets no prototype", () => {
    const body = utf8('{"args":[{"__proto__":{"x":["$BigInt","1"]}}]}');
    const [value] = codec("json").readActionRequest(body);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  it("json: leaves out of an answer what it has no text for", () => {
    const answers = [1, [1n], undefined, () => {}].map((output) => {
      const { val } = JSON.parse(String(codec("json").outputFrame(7n, output))).body;
      return val as unknown;
    });
    const id = ["$BigInt", "7"];
    assert.deepEqual(answers, [
      { id, output: 1 },
      { id, output: [["$BigInt", "1"]] },
      { id, output: ["$Undefined", 0] },
      { id },
    ]);
  });
});
