import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf } from "../../../src/guest/fault.ts";
import type { HostAnswer } from "../../../src/ports/guest_host.ts";
import { faultMessage, load, never, RunningScript, routed } from "./script_support.ts";

const ignore = () => ({ ok: undefined });

/** What a guest may throw, and what its caller is told. */
const thrown: Record<string, readonly [body: string, message: RegExp]> = {
  "an error": ["throw new RangeError('too far')", /^RangeError: too far$/],
  nothing: ["throw undefined", /^undefined was thrown$/],
  null: ["throw null", /^null was thrown$/],
  "a text": ["throw 'a text'", /^a text was thrown$/],
  "a symbol": ["throw Symbol('odd')", /odd/],
  "a large number": ["throw 2n ** 200n", /^16069380442589902755/],
  "a function": ["throw () => 1", /was thrown$/],
  "what contains itself": ["const o = {}; o.o = o; throw o", /no error/],
  "what has no prototype": ["throw Object.create(null)", /no error/],
  "a proxy that throws": ["throw new Proxy({}, { get() { throw 1 } })", /cannot be read/],
  "a proxy that was revoked": [
    "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy",
    /cannot be read/,
  ],
  "getters that throw": ["throw { get tag() { throw new Error('again') } }", /cannot be read/],
  "a text of what throws": ["throw { tag: { toString() { throw 1 } } }", /no error/],
  "an unknown tag": ["throw { tag: 'no-such', val: 'x' }", /no error/],
  "a tag without a value": ["throw { tag: 'not-found' }", /^$/],
  "a value that is no text": ["throw { tag: 'internal', val: { toString: null } }", /^$/],
  "a long text": ["throw new Error('x'.repeat(1e6))", /^Error: x{1000,17000}$/],
};

/** What `dispatch` may return that is no bytes. */
const returned: Record<string, string> = {
  "a text": "return 'text'",
  "a number": "return 42",
  "an object": "return {}",
  "an array": "return [1, 2, 3]",
  "other numbers": "return new Float64Array(2)",
  "a proxy of bytes": "return new Proxy(new Uint8Array(2), {})",
  "what only says that it is bytes":
    "return { [Symbol.toStringTag]: 'Uint8Array', length: 1, 0: 1 }",
  "a child of Uint8Array's prototype": "return Object.create(Uint8Array.prototype)",
};

/** Calls that are none. */
const calls: Record<string, string> = {
  "no target": "context.call(undefined, 'a', new Uint8Array())",
  "an unknown target": "context.call({ tag: 'moon' }, 'a', new Uint8Array())",
  "a peer without an id": "context.call({ tag: 'peer' }, 'a', new Uint8Array())",
  "a realm that is too large":
    "context.callRaw({ realm: { realmId: 2 ** 32 }, serialNumber: 1n, type: {} }, 'a', new Uint8Array())",
  "a route that is no text": "context.call({ tag: 'host' }, 7, new Uint8Array())",
  "a route that is too long": "context.call({ tag: 'host' }, 'a'.repeat(20_000), new Uint8Array())",
  "a payload that is text": "context.call({ tag: 'host' }, 'a', 'text')",
  "a type without a name": "context.discover({ manufacturer: 'a', version: '1' })",
  "a stream that is none": "context.registerStream({})",
  "a lane that is none":
    "context.sendDataChunk({ tag: 'host' }, { streamId: 's', sequence: 1n, payload: new Uint8Array() }, { tag: 'carrier-pigeon' })",
  "a sequence that is too large":
    "context.sendDataChunk({ tag: 'host' }, { streamId: 's', sequence: 2n ** 64n, payload: new Uint8Array() }, { tag: 'stream-reliable' })",
  "too much metadata":
    "context.sendDataChunk({ tag: 'host' }, { streamId: 's', sequence: 1n, payload: new Uint8Array(), metadata: Array(1025).fill({ key: 'k', value: 'v' }) }, { tag: 'stream-reliable' })",
};

describe("a hostile script", { timeout: 60_000 }, () => {
  it("is told of by a text, whatever it throws", async () => {
    const bodies = Object.entries(thrown).map(([what, [body]]) => [what, body] as const);
    const script = await RunningScript.start(routed(Object.fromEntries(bodies)));
    for (const [what, [, message]] of Object.entries(thrown)) {
      const outcome = await script.dispatch("", what);
      assert.ok("error" in outcome, what);
      assert.match(outcome.error.message, message, what);
    }
  });

  it("answers bytes or an error, whatever it returns", async () => {
    const script = await RunningScript.start(routed(returned));
    for (const what of Object.keys(returned)) {
      const outcome = await script.dispatch("", what);
      assert.ok("error" in outcome && outcome.error.code === "internal", what);
      assert.match(outcome.error.message, /must be a Uint8Array/, what);
    }
  });

  it("gives what its bytes are, not what it says of them", async () => {
    const script = await RunningScript.start(
      routed({
        lies: `const bytes = Uint8Array.of(1, 2, 3);
          for (const name of ["buffer", "byteLength", "byteOffset", "length"])
            Object.defineProperty(bytes, name, { get() { throw 1 } });
          return bytes`,
        part: "return new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)",
        gone: "const bytes = new Uint8Array(8); bytes.buffer.transfer(); return bytes",
        shared: "return new Uint8Array(new SharedArrayBuffer(3))",
        nothing: "return",
        later: "return Promise.resolve({ then: (resolve) => resolve(Uint8Array.of(7)) })",
      }),
    );
    const expected = { lies: [1, 2, 3], part: [2, 3], gone: [], shared: [0, 0, 0], nothing: [] };
    for (const [route, bytes] of Object.entries({ ...expected, later: [7] })) {
      assert.deepEqual(await script.dispatch("", route), { ok: Uint8Array.from(bytes) }, route);
    }
  });

  it("asks its node nothing that is no call", async () => {
    const told = (call: string): string =>
      `return Promise.resolve().then(() => ${call}).then(() => null, (error) => new TextEncoder().encode(error.tag ?? error.name))`;
    const bodies = Object.entries(calls).map(([what, call]) => [what, told(call)] as const);
    const script = await RunningScript.start(routed(Object.fromEntries(bodies)));
    for (const what of Object.keys(calls)) {
      assert.match(await script.text("", what), /^(invalid-argument|TypeError)$/, what);
    }
    assert.deepEqual(script.calls, []);
  });

  it("is an error of its image when it cannot be read, of its instance when it fails", async () => {
    assert.match(await faultMessage(load("const a = ;"), "load_failed"), /SyntaxError.*guest\.js/s);
    assert.match(await faultMessage(load("import 'fs'"), "load_failed"), /SyntaxError/);
    await faultMessage(load("(".repeat(500_000)), "load_failed");
    const failing: readonly (readonly [string, RegExp])[] = [
      ["throw new Error('not today')", /not today/],
      ["throw new Proxy({}, { get() { throw 1 } })", /cannot be read/],
      ["", /never calls defineWorkload/],
      ["defineWorkload({})", /needs a function dispatch/],
      ["defineWorkload()", /needs a function dispatch/],
      ["for (let i = 0; i < 2; i++) defineWorkload({ dispatch() {} })", /called before/],
      ["await 1", /./],
    ];
    for (const [source, message] of failing) {
      const image = await load(source).catch((error) => error);
      if (image instanceof Error) assert.equal(faultOf(image), "load_failed");
      else
        assert.match(await faultMessage(image.instantiate(ignore, never), "init_failed"), message);
    }
  });

  it("hears nothing more of what it asked before it was discarded", async () => {
    let give: (answer: HostAnswer) => void = () => {};
    const script = await RunningScript.dispatching(
      "return context.call({ tag: 'host' }, 'a', envelope.payload)",
      {
        answer: () =>
          new Promise((resolve) => {
            give = resolve;
          }),
      },
    );
    const entered = faultMessage(script.dispatch(), "discarded");
    script.instance.discard();
    give({ ok: new Uint8Array(3) });
    await entered;
    assert.equal(script.instance.memoryBytes, 0);
  });

  it("may go on after its answer, for what its entry has left", async () => {
    const answers: ((answer: HostAnswer) => void)[] = [];
    const script = await RunningScript.dispatching(
      `
      (async () => { for (;;) await context.call({ tag: "host" }, "again", envelope.payload) })();
      return envelope.payload;
    `,
      { limits: { fuel: 20_000 }, answer: () => new Promise((resolve) => answers.push(resolve)) },
    );
    assert.equal(await script.text("now"), "now");
    let rounds = 0;
    for (let give = answers.pop(); give !== undefined; give = answers.pop(), rounds++) {
      give({ ok: new Uint8Array() });
      await Promise.resolve();
      await Promise.resolve();
    }
    assert.ok(rounds > 1, `${rounds} rounds`);
    await faultMessage(script.dispatch(), "discarded");
  });

  it("fails what it throws where nobody awaits it, and goes on", async () => {
    const script = await RunningScript.dispatching(`
      Promise.reject(new Error("nobody hears"));
      queueMicrotask(() => { throw new Error("nor this") });
      (async () => { await null; throw { get tag() { throw 1 } } })();
      return envelope.payload;
    `);
    for (let round = 0; round < 2; round++) assert.equal(await script.text("fine"), "fine");
  });

  it("keeps its node's failures to itself: a node that throws is an error to it", async () => {
    const script = await RunningScript.dispatching(
      "return context.discover({ manufacturer: 'a', name: 'b', version: '1' }).then(() => null, (error) => new TextEncoder().encode(error.tag ?? error.name))",
      { answer: () => Promise.reject(new Error("out of order")) },
    );
    assert.equal(await script.text(), "internal");
    const odd = await RunningScript.dispatching(
      "return context.discover({ manufacturer: 'a', name: 'b', version: '1' }).then(() => null, (error) => new TextEncoder().encode(error.name))",
    );
    assert.equal(await odd.text(), "SyntaxError");
  });
});
