import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GuestEntry, HostAnswer } from "../../../src/ports/guest_host.ts";
import { scriptHost } from "../../fixtures/guests/script_host.ts";
import { faultMessage, load, never, RunningScript, routed } from "./script_support.ts";

const mebibyte = 1024 * 1024;
const later: Promise<HostAnswer> = new Promise(() => {});

/** What runs for ever, or as good as: the guest's own loops, and those inside of one function of the language. */
const endless: Record<string, string> = {
  "a loop": "for (;;);",
  calls: "const f = () => 1; for (;;) f();",
  "functions of the language": "for (;;) [1, 2].map(String);",
  "promises of promises": "const f = async () => { await null; return f }; for (;;) f();",
  "a promise that goes on": "return (async () => { for (;;) await null })();",
  "a regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b');",
  "a search in an array that is not there": "new Array(4294967295).indexOf(1);",
  "a search in what only looks like an array":
    "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 7);",
  "a large number": "(3n ** 600000n).toString();",
  "a search for a text": "'a'.repeat(4e6).indexOf('a'.repeat(1e6) + 'b');",
  "a getter of what it throws": "throw { get tag() { for (;;); } };",
  "a proxy that it returns": "return new Proxy({}, { get() { for (;;); } });",
  "a then that it returns": "return { then() { for (;;); } };",
  "lines of the log": "for (;;) console.log('line');",
  "calls of the node": "for (;;) context.tell({ tag: 'host' }, 'a', envelope.payload);",
};

/** What wants more memory than there is. */
const bombs: Record<string, string> = {
  "an array": "const all = []; for (;;) all.push(all.length, 1, 2, 3, 4, 5, 6, 7);",
  "a text": "let text = 'x'; for (;;) { text += text; text.charCodeAt(1); }",
  "a text that is made at once": "'abc'.repeat(1e7).split('');",
  buffers: "const all = []; for (;;) all.push(new ArrayBuffer(1e6));",
  "a typed array": "new Float64Array(1e8);",
  "a map": "const map = new Map(); for (let i = 0; ; i++) map.set(i, new Array(100).fill(i));",
  "a bomb that it catches":
    "const all = []; try { for (;;) all.push(new Uint8Array(1e6)) } catch {} return;",
};

const timestamp = { seconds: 1n, nanoseconds: 0 };
const peer = { realm: 1, serial: 1n, type: { manufacturer: "a", name: "b", version: "1" } };
const entries: readonly GuestEntry[] = [
  { name: "on-start" },
  { name: "on-ready" },
  { name: "on-stop" },
  { name: "on-signaling-connected" },
  { name: "on-webrtc-connected", event: { peer } },
  { name: "on-credential-renewed", event: { newExpiry: timestamp } },
  { name: "on-mailbox-backpressure", event: { queueLength: 1n, threshold: 1n } },
  {
    name: "on-data-chunk",
    sender: peer,
    chunk: { streamId: "s", sequence: 1n, payload: new Uint8Array(), metadata: [] },
  },
  {
    name: "on-error",
    event: {
      source: { code: "internal", message: "" },
      category: "handler-error",
      context: "",
      timestamp,
    },
  },
];

describe("limits of a script", { timeout: 60_000 }, () => {
  describe("of fuel", () => {
    const limits = { fuel: 100_000, memoryBytes: 64 * mebibyte };
    const image = load(routed(endless), { limits });
    for (const what of Object.keys(endless)) {
      it(`end ${what}`, async () => {
        const script = await RunningScript.of(await image);
        await faultMessage(script.dispatch("", what), "out_of_fuel");
        await faultMessage(script.dispatch("", what), "discarded");
      });
    }
  });

  describe("of memory", () => {
    const limits = { fuel: 50_000_000, memoryBytes: 18 * mebibyte };
    const image = load(routed(bombs), { limits });
    for (const what of Object.keys(bombs)) {
      it(`end ${what}`, async () => {
        const script = await RunningScript.of(await image);
        await faultMessage(script.dispatch("", what), "resource_limit");
        assert.equal(script.instance.memoryBytes, 0);
      });
    }
  });

  it("ends an endless loop in every entry, and in the script itself", async () => {
    const limits = { fuel: 20_000 };
    const source =
      "defineWorkload(new Proxy({ dispatch() {} }, { get: () => () => { for (;;); } }))";
    const image = await load(source, { limits });
    for (const entry of entries) {
      const script = await RunningScript.of(image);
      await faultMessage(script.enter(entry), "out_of_fuel");
    }
    const spinning = await load("for (;;);", { limits });
    const message = await faultMessage(
      spinning.instantiate(() => ({ ok: undefined }), never),
      "init_failed",
    );
    assert.match(message, /fuel/);
  });

  it("counts the same for the same work", async () => {
    const source = routed({
      asks: "return (async () => { for (;;) await context.registerStream('s') })()",
    });
    const image = await load(source, { limits: { fuel: 100_000 } });
    const counts = [];
    for (let round = 0; round < 2; round++) {
      const script = await RunningScript.of(image);
      await faultMessage(script.dispatch("", "asks"), "out_of_fuel");
      counts.push(script.calls.length);
    }
    assert.equal(counts[0], counts[1]);
    assert.ok(counts[0] !== undefined && counts[0] > 10, `${counts[0]} calls`);
  });

  it("[G-79] keeps what an entry may use to that entry: others neither add to it nor take of it", async () => {
    let give: (answer: HostAnswer) => void = () => {};
    const answer = () =>
      new Promise<HostAnswer>((resolve) => {
        give = resolve;
      });
    const script = await RunningScript.dispatching(
      `
      const work = () => { for (let i = 0; i < 3_000; i++); };
      if (envelope.routeKey === "short") return work();
      return (async () => { for (;;) { work(); await context.call({ tag: "host" }, "a", envelope.payload) } })();
    `,
      { limits: { fuel: 60_000 }, answer },
    );
    const long = script.dispatch("", "long");
    const ended = faultMessage(long, "out_of_fuel");
    for (let round = 0; round < 3; round++) {
      assert.ok("ok" in (await script.dispatch("", "short")));
    }
    const alive = async (): Promise<boolean> =>
      script.dispatch("", "short").then(
        () => true,
        () => false,
      );
    let rounds = 0;
    while (await alive()) {
      rounds += 1;
      assert.ok(rounds < 20, "the long entry never ends");
      give({ ok: new Uint8Array() });
      await Promise.resolve();
    }
    await ended;
    assert.ok(rounds > 1, `${rounds} rounds`);
  });

  it("ends an entry that runs for longer than five seconds of the clock", async () => {
    let now = 0;
    const clock = {
      now: () => now,
      monotonic: () => {
        now += 2_000;
        return now;
      },
      sleep: () => later.then(() => {}),
      timer: () => ({ cancel() {} }),
      defer: () => {},
    };
    const script = await RunningScript.dispatching("for (;;);", { host: scriptHost(clock) });
    await faultMessage(script.dispatch(), "interrupted");
  });

  it("throws where the stack ends, and lets the guest go on", async () => {
    const script = await RunningScript.dispatching(`
      const deeper = () => deeper() + 1;
      try { deeper() } catch (error) { return new TextEncoder().encode(error.message) }
    `);
    assert.equal(await script.text(), "stack overflow");
    assert.equal(await script.text(), "stack overflow");
  });

  it("refuses what waits for the node beyond a thousand calls, or beyond the guest's memory", async () => {
    const script = await RunningScript.dispatching(
      `
      const size = Number(envelope.routeKey);
      const asked = Array.from({ length: 1_100 }, () => context.call({ tag: "host" }, "a", new Uint8Array(size)));
      const refused = await1(asked[1_099]);
      function await1(promise) { return promise.then(() => "answered", (error) => error.tag) }
      return refused.then((text) => new TextEncoder().encode(text));
    `,
      { answer: () => later, limits: { fuel: 50_000_000 } },
    );
    assert.equal(await script.text("", "1"), "unavailable");
    assert.equal(script.calls.length, 1_024);
    const large = await RunningScript.dispatching(
      `
      const asked = Array.from({ length: 30 }, () => context.call({ tag: "host" }, "a", new Uint8Array(1_000_000)));
      return asked[29].catch((error) => new TextEncoder().encode(error.tag));
    `,
      { answer: () => later, limits: { memoryBytes: 24_100_000, fuel: 50_000_000 } },
    );
    assert.equal(await large.text(), "unavailable");
    assert.equal(large.calls.length, 24);
  });

  it("drops lines of the log beyond a thousand that wait, and cuts them", async () => {
    const script = await RunningScript.dispatching(
      "for (let i = 0; i < 1_100; i++) console.log('x'.repeat(9_000)); context.log('info', 'y'.repeat(9_000));",
      { limits: { fuel: 50_000_000 } },
    );
    assert.ok("ok" in (await script.dispatch()));
    assert.equal(script.calls.length, 1_024);
    for (const call of script.calls) assert.ok("message" in call && call.message.length === 8_192);
  });

  it("refuses a script that is too long, or that has too little memory", async () => {
    const source = "defineWorkload({ dispatch() {} })";
    assert.match(
      await faultMessage(load(source, { limits: { codeBytes: 10 } }), "resource_limit"),
      /33 bytes, the limit is 10/,
    );
    assert.match(
      await faultMessage(load(source, { limits: { memoryBytes: mebibyte } }), "resource_limit"),
      /16777216/,
    );
  });
});
