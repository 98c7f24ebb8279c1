import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RunningScript } from "./script_support.ts";

/** The language's own globals, as the engine has them. */
const language =
  "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape";
const ours = ["TextDecoder", "TextEncoder", "console", "defineWorkload", "queueMicrotask"];

const send = (value: string): string => `return new TextEncoder().encode(${value})`;
const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

describe("the world of a script", () => {
  it("has the language and our five names, and nothing else", async () => {
    const names = "Object.getOwnPropertyNames(globalThis).sort().join(' ')";
    const script = await RunningScript.dispatching(send(names));
    assert.equal(await script.text(), [...language.split(" "), ...ours].sort().join(" "));
  });

  it("has no modules, and no way from a function to what made it", async () => {
    const script = await RunningScript.dispatching(`
      const found = [console.log, context.log, defineWorkload, TextEncoder].map((each) =>
        each.constructor("return [typeof process, typeof require, typeof Deno, typeof Bun].join()")());
      return import("node:fs").then(
        () => null,
        (error) => new TextEncoder().encode([error.name, ...new Set(found)].join()),
      );
    `);
    const nothing = "undefined,undefined,undefined,undefined";
    assert.equal(await script.text(), `ReferenceError,${nothing}`);
  });

  it("cannot reach what makes a context's calls", async () => {
    const script = await RunningScript.dispatching(
      send("JSON.stringify([Object.keys(context), Reflect.ownKeys(context)])"),
    );
    assert.equal(await script.text(), '[["requestId"],["requestId"]]');
  });

  it("refuses a call without its context", async () => {
    const script = await RunningScript.dispatching(`
      const { call } = context;
      return call({ tag: "host" }, "a", envelope.payload);
    `);
    const outcome = await script.dispatch();
    assert.ok(
      "error" in outcome && /TypeError/.test(outcome.error.message),
      JSON.stringify(outcome),
    );
    assert.deepEqual(script.calls, []);
  });

  it("encodes and decodes text as the platform does", async () => {
    const decoding = await RunningScript.dispatching(`
      const text = new TextDecoder("utf-8", { ignoreBOM: context.requestId === "" }).decode(envelope.payload);
      ${send("text")}
    `);
    const samples = ["", "a", "\0", "a\0b\0", "ä€\u{1f600}", "\ufeffmark", "x".repeat(20_000)];
    for (const text of samples) {
      const bytes = new TextEncoder().encode(text);
      const expected = new TextEncoder().encode(new TextDecoder().decode(bytes));
      const outcome = await decoding.dispatch(bytes);
      assert.deepEqual(outcome, { ok: expected }, JSON.stringify(text.slice(0, 9)));
    }
    for (const malformed of [[0xff], [0xe2, 0x82], [0x61, 0xc0, 0x00, 0xed, 0xa0, 0x80, 0x62]]) {
      const bytes = Uint8Array.from(malformed);
      assert.equal(await decoding.text(bytes), new TextDecoder().decode(bytes), hex(bytes));
    }
  });

  it("encodes halves of characters as the platform does, and refuses malformed bytes where asked to", async () => {
    const script = await RunningScript.dispatching(`
      const encoded = new TextEncoder().encode("\\ud800a\\udc00");
      const room = new Uint8Array(4);
      const { read, written } = new TextEncoder().encodeInto("aä€", room);
      let refused = "nothing";
      try { new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(255)) } catch (error) { refused = error.name }
      ${send("JSON.stringify([[...encoded], read, written, [...room], refused])")}
    `);
    const expected = [...new TextEncoder().encode("\ud800a\udc00")];
    const [encoded, ...rest] = JSON.parse(await script.text());
    assert.deepEqual(encoded, expected);
    assert.deepEqual(rest, [2, 3, [0x61, 0xc3, 0xa4, 0], "TypeError"]);
  });

  it("writes its console to the node's log, for the entry that runs", async () => {
    const script = await RunningScript.dispatching(`
      console.log("got", { a: 1 }, 2n, undefined, new RangeError("no"));
      return Promise.resolve().then(() => { console.warn("late\\0"); });
    `);
    await script.dispatch();
    await script.dispatch();
    const lines = script.calls.map(
      (call) => "message" in call && [call.token, call.level, call.message],
    );
    assert.deepEqual(lines, [
      [1n, "info", 'got {"a":1} 2 undefined RangeError: no'],
      [1n, "warn", "late\ufffd"],
      [2n, "info", 'got {"a":1} 2 undefined RangeError: no'],
      [2n, "warn", "late\ufffd"],
    ]);
  });

  it("is the guest's own: what it changes there reaches neither the host nor another instance", async () => {
    const body = `
      if (Object.isFrozen(Object.prototype)) return envelope.payload;
      Object.defineProperty(Object.prototype, "payload", { set() { throw 1 }, configurable: true });
      Object.prototype.toJSON = () => "fooled";
      JSON.parse = JSON.stringify = Map.prototype.get = () => { throw new Error("fooled") };
      Object.freeze(Object.prototype);
      return envelope.payload;
    `;
    const script = await RunningScript.dispatching(body);
    for (let round = 0; round < 2; round++) assert.equal(await script.text("whole"), "whole");
    const other = await RunningScript.dispatching(send('JSON.stringify({ kept: "yes" })'));
    assert.equal(await other.text(), '{"kept":"yes"}');
  });
});
