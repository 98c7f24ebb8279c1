import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, errorCodes, errorFacts } from "../../../src/errors.ts";
import { directions } from "../../../src/protocol/envelope.ts";
import { fromWireError } from "../../../src/protocol/wire_error.ts";
import { gate, RemotePeer, rig, route, ScriptedStore } from "./support.ts";

const one = Uint8Array.of(1);

describe("completion: answers", () => {
  it("[N-37] [N-29] [ND-02] every request gets exactly one response, with timeout 0, also when it fails", async () => {
    const world = await rig({
      async handle(text) {
        if (text === "error") throw new ActrError("not_found", "no such thing");
        if (text === "crash") throw new Error("inner text");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    const ids: string[] = [];
    for (const text of ["ok", "error", "crash"]) ids.push(await remote.send(text));
    ids.push(await remote.send("x", { routeKey: "acme.Nothing.Here" }));
    ids.push(await remote.send("x", { payload: Uint8Array.of(255) }));
    await world.clock.advance(60_000);
    assert.deepEqual(remote.heard, ["ok", 10003, 10010, 10006, 10008]);
    assert.deepEqual(
      remote.answers.map(({ requestId }) => requestId),
      ids,
    );
    for (const answer of remote.answers) {
      assert.equal(answer.direction, directions.response);
      assert.equal(answer.timeoutMs, 0);
      assert.deepEqual(answer.metadata, []);
    }
  });

  it("[N-32] [ND-17] the error of a handler keeps its code and text", async () => {
    const world = await rig({
      handle() {
        throw new ActrError("invalid_argument", "by must be >= 0");
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("x");
    const error = remote.answers[0]?.error;
    assert.equal(error?.code, 10005);
    assert.equal(error?.message, "invalid argument: by must be >= 0");
  });

  it("[N-25] every code of the wire has its own number, 10001 to 10011, and comes back", async () => {
    const world = await rig({
      handle(text) {
        throw new ActrError(text as "internal", "text", { public: true });
      },
    });
    const remote = new RemotePeer(world);
    const travelling = errorCodes.slice(0, 11);
    for (const code of travelling) await remote.send(code);
    const errors = remote.answers.map(({ error }) => error);
    assert.deepEqual(
      errors.map((error) => error?.code),
      [10001, 10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009, 10010, 10011],
    );
    assert.deepEqual(
      errors.map((error) => error && fromWireError(error).code),
      travelling,
    );
    for (const code of errorCodes.slice(11)) {
      const { wire } = errorFacts(code);
      assert.ok(wire >= 10001 && wire <= 10011, `${code} travels as a relative`);
    }
  });

  it("[N-26] [N-28] a hint survives the round trip, and none stays none", async () => {
    const world = await rig({
      handle(text) {
        const hint = text === "" ? {} : { retryAfterMs: Number(text) };
        throw new ActrError("connection_not_ready", "later", hint);
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("250");
    await remote.send("");
    const [hinted, plain] = remote.answers.map(({ error }) => error && fromWireError(error));
    assert.deepEqual([hinted?.code, hinted?.retryAfterMs], ["connection_not_ready", 250]);
    assert.deepEqual([plain?.code, plain?.retryAfterMs], ["connection_not_ready", undefined]);
    assert.equal(fromWireError({ code: 10011, message: "no marker" }).retryAfterMs, undefined);
  });

  it("[N-27] an unknown number becomes unavailable, with number and text", () => {
    const error = fromWireError({ code: 12345, message: "odd" });
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /12345.*odd/);
  });

  it("[ND-18] [ND-20] a crash is Internal without inner text, counted, told and logged once; the next message runs", async () => {
    const world = await rig({
      handle(text) {
        if (text === "crash") throw new TypeError("the password is hunter2");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("crash");
    await remote.send("next");
    const [crash] = remote.answers;
    assert.equal(crash?.error?.code, 10010);
    assert.doesNotMatch(crash?.error?.message ?? "", /hunter2/);
    assert.equal(remote.heard[1], "next");
    assert.equal(world.inbound.handled, 2);
    const [event, ...more] = world.errors;
    assert.deepEqual(more, []);
    assert.equal(event?.category, "handler_crash");
    assert.match(String(event?.error.cause), /hunter2/);
    assert.match(event?.context ?? "", new RegExp(`route_key=${route}`));
    const logged = world.records.filter(({ level }) => level === "error");
    assert.equal(logged.length, 1);
  });

  it("gives the request's trace back", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await remote.send("a", { traceparent });
    await remote.send("b");
    assert.deepEqual(
      remote.answers.map((answer) => answer.traceparent),
      [traceparent, undefined],
    );
  });

  it("answers a call that waited longer than its own deadline without running it", async () => {
    const world = await rig({ open: false });
    const remote = new RemotePeer(world);
    await remote.send("late", { timeoutMs: 100 });
    await remote.send("patient", { timeoutMs: 1_000 });
    await world.clock.advance(100);
    world.inbound.open();
    await world.clock.settle();
    assert.deepEqual(remote.heard, [10002, "Echo: patient"]);
    assert.deepEqual(world.handled, ["patient"]);
  });
});

describe("completion: tells", () => {
  it("[N-35] [N-36] run the handler and have no response, also when it fails", async () => {
    const world = await rig({
      handle(text) {
        if (text === "fail") throw new ActrError("not_found", "no");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    await remote.tell("ok");
    await remote.tell("fail");
    await world.clock.advance(60_000);
    assert.deepEqual(world.handled, ["ok", "fail"]);
    assert.deepEqual(remote.answers, []);
    const [letter] = await world.store.deadLetters(10);
    assert.equal(letter?.category, "handler_error");
    assert.deepEqual(await world.store.mailboxRows(0, 10), []);
  });

  it("that fail for a while are tried again after pauses that double, then become a dead letter", async () => {
    const at: number[] = [];
    const world = await rig({
      options: { inbound: { maxAttempts: 4, retryDelayMs: 1_000 } },
      handle() {
        at.push(world.clock.monotonic());
        throw new ActrError("unavailable", "the other side is away");
      },
    });
    const remote = new RemotePeer(world);
    const timers = world.clock.pending;
    await remote.tell("x");
    await world.clock.advance(60_000);
    assert.deepEqual(at, [0, 1_000, 3_000, 7_000]);
    const [letter, ...more] = await world.store.deadLetters(10);
    assert.deepEqual(more, []);
    assert.deepEqual([letter?.category, letter?.reason], ["exhausted", "the other side is away"]);
    assert.equal(world.inbound.mailbox.idle, true);
    assert.equal(world.clock.pending, timers);
  });
});

describe("completion: one commit", () => {
  it("state, remembered answer and acknowledgement are one commit, and the answer leaves after it", async () => {
    const store = new ScriptedStore();
    const disk = gate();
    const world = await rig({
      store,
      durable: true,
      handle(text, { state }) {
        state.put("last", one);
        state.delete("first");
        // The message itself is on disk; what comes of it is held back.
        store.hold = disk.promise;
        return text;
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("a");
    assert.deepEqual(store.kinds, [
      "mailbox.put",
      "record.put record.delete answer.put mailbox.ack",
    ]);
    assert.deepEqual(remote.heard, []);
    disk.open();
    await world.clock.settle();
    assert.deepEqual(remote.heard, ["a"]);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("nothing is answered before the commit, while the next handler already runs", async () => {
    const store = new ScriptedStore();
    const world = await rig({
      store,
      handle(text, { state }) {
        state.put("last", one);
        return text;
      },
    });
    const remote = new RemotePeer(world);
    const disk = gate();
    store.hold = disk.promise;
    await remote.send("a");
    await remote.send("b");
    assert.deepEqual(world.handled, ["a", "b"]);
    assert.deepEqual(remote.heard, []);
    disk.open();
    await world.clock.settle();
    assert.deepEqual(remote.heard, ["a", "b"]);
  });

  it("a commit that fails is a transient error: nothing is stored, nothing remembered, a repeat runs again", async () => {
    const store = new ScriptedStore();
    const world = await rig({
      store,
      handle(text, { state }) {
        state.put("last", one);
        return text;
      },
    });
    const remote = new RemotePeer(world);
    store.refuses = () => new ActrError("storage", "disk full at /secret/path");
    const requestId = await remote.send("a");
    assert.deepEqual(remote.heard, [10001]);
    assert.doesNotMatch(remote.answers[0]?.error?.message ?? "", /secret/);
    assert.equal(await store.record("state", "last"), undefined);
    store.refuses = () => undefined;
    await remote.send("a", { requestId });
    assert.deepEqual(remote.heard, [10001, "a"]);
    assert.deepEqual(world.handled, ["a", "a"]);
    assert.equal(world.inbound.mailbox.idle, true);
  });

  it("a durable message whose commit fails is handled again later, and answered once", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store, durable: true });
    const remote = new RemotePeer(world);
    store.refuses = (changes) =>
      changes.some(({ kind }) => kind === "mailbox.ack")
        ? new ActrError("storage", "disk full")
        : undefined;
    await remote.send("a");
    assert.deepEqual(remote.heard, []);
    store.refuses = () => undefined;
    await world.clock.advance(1_000);
    assert.deepEqual(remote.heard, ["Echo: a"]);
    assert.deepEqual(world.handled, ["a", "a"]);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("what a handler that fails had written is gone", async () => {
    const world = await rig({
      handle(text, { state }) {
        state.put("last", one);
        if (text !== "ok") throw new ActrError("not_found", "no");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("no");
    assert.equal(await world.store.record("state", "last"), undefined);
    await remote.send("ok");
    assert.deepEqual(await world.store.record("state", "last"), one);
  });

  it("a handler reads its own writes, others' only when they are done", async () => {
    const world = await rig({
      async handle(text, { state }) {
        const before = await state.get("count");
        const count = (before?.[0] ?? 0) + 1;
        const bytes = Uint8Array.of(count);
        state.put("count", bytes);
        bytes.fill(99);
        const own = (await state.get("count"))?.[0];
        state.put("gone", one);
        state.delete("gone");
        const gone = await state.get("gone");
        return `${text} ${count} ${own} ${gone}`;
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("a");
    await remote.send("b");
    assert.deepEqual(remote.heard, ["a 1 1 undefined", "b 2 2 undefined"]);
  });

  it("a handler that is done can no longer write", async () => {
    let late: () => void = () => {};
    const world = await rig({
      handle(text, { state }) {
        late = () => state.put("late", one);
        return text;
      },
    });
    await new RemotePeer(world).send("a");
    assert.throws(late, { code: "internal" });
    const strict = await rig({
      handle(_text, { state }) {
        state.put("", one);
        return "";
      },
    });
    await new RemotePeer(strict).send("a");
    assert.match(String(strict.errors[0]?.error.cause), /RangeError/);
  });
});

describe("completion: repeats", () => {
  it("[N-46] [N-51] [N-52] success and failure are both repeated, from the memory, for calls and tells", async () => {
    const world = await rig({
      handle(text) {
        if (text === "crash") throw new Error("inner");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    for (const text of ["ok", "crash"]) {
      const requestId = await remote.send(text);
      await remote.send(text, { requestId });
    }
    assert.deepEqual(remote.heard, ["ok", "ok", 10010, 10010]);
    assert.deepEqual(world.handled, ["ok", "crash"]);

    const told = await remote.tell("ok");
    await remote.tell("ok", { requestId: told });
    const failed = await remote.tell("crash");
    await remote.tell("crash", { requestId: failed });
    assert.deepEqual(world.handled, ["ok", "crash", "ok", "crash"], "each tell ran once");
    assert.equal(remote.heard.length, 4, "and none was answered");
    assert.deepEqual(await world.store.mailboxRows(0, 10), []);
    await remote.send("crash", { requestId: failed });
    assert.equal(remote.heard[4], 10010, "the failure of a tell is what is remembered");
    assert.deepEqual(world.handled.length, 4);
  });

  it("of a message that nobody waited for, only that it was handled is remembered", async () => {
    const world = await rig({});
    const remote = new RemotePeer(world);
    const told = await remote.tell("told");
    const sent = await remote.send("sent", { durableSend: true });
    assert.deepEqual(
      (await world.store.answers(0, 9)).map(({ requestId, response }) => [requestId, response]),
      [told, sent].map((requestId) => [requestId, new Uint8Array(0)]),
    );
    await remote.send("sent", { requestId: sent, durableSend: true });
    await remote.send("sent", { requestId: sent });
    assert.deepEqual(remote.heard, ["", "", ""], "each time as the first one was");
    assert.deepEqual(world.handled, ["told", "sent"]);
  });

  it("[N-53] a repeat of a slow request waits and hears the same; one that waits for less hears an error", async () => {
    const world = await rig({
      async handle(_text, { signal }) {
        await world.clock.sleep(100, { signal });
        return "slow-handled";
      },
    });
    const remote = new RemotePeer(world);
    const requestId = await remote.send("x");
    await remote.send("x", { requestId });
    await remote.send("x", { requestId, timeoutMs: 50 });
    await world.clock.advance(99);
    assert.deepEqual(remote.heard, []);
    await world.clock.advance(1);
    assert.deepEqual(remote.heard, ["slow-handled", "slow-handled", 10002]);
    assert.deepEqual(world.handled, ["x"]);
  });

  it("[T-56] a repeat of a request in flight that may wait 50 ms hears an error after these, whatever becomes of the first", async () => {
    const world = await rig({
      conflictKey: { sender: true },
      async handle(_text, { signal }) {
        await world.clock.sleep(10_000, { signal });
        return "done";
      },
    });
    const remote = new RemotePeer(world);
    const requestId = await remote.send("x");
    await remote.send("x", { requestId, timeoutMs: 50 });
    await world.clock.advance(49);
    assert.deepEqual(remote.heard, []);
    await world.clock.advance(451);
    assert.deepEqual(remote.heard, [10002]);
    assert.equal(remote.answers[0]?.error?.message, "timed out");
    await world.clock.advance(9_500);
    assert.deepEqual(remote.heard, [10002, "done"]);
    assert.deepEqual(world.handled, ["x"]);
  });

  it("[N-54] [T-55] two copies of one request on the wire run the handler once, however long it takes; also of a tell", async () => {
    for (const durable of [false, true]) {
      for (const ms of [0, 100, 1_200]) {
        const world = await rig({
          durable,
          async handle(text, { signal }) {
            if (ms > 0) await world.clock.sleep(ms, { signal });
            return text;
          },
        });
        const remote = new RemotePeer(world);
        const requestId = remote.post("call");
        remote.post("call", { requestId });
        await world.clock.advance(ms);
        assert.deepEqual(world.handled, ["call"]);
        assert.deepEqual(remote.heard, ["call", "call"]);
        const told = remote.post("tell", { direction: directions.tell });
        remote.post("tell", { requestId: told, direction: directions.tell });
        await world.clock.advance(ms);
        assert.deepEqual(world.handled, ["call", "tell"]);
        assert.equal(remote.heard.length, 2);
        assert.deepEqual(await world.store.mailboxRows(0, 10), []);
      }
    }
  });

  it("[ND-06] the answer that found no link is there for the retry", async () => {
    const door = gate();
    const world = await rig({ handle: (text) => door.promise.then(() => text) });
    const remote = new RemotePeer(world);
    const requestId = await remote.send("a");
    remote.link.end();
    await world.clock.settle();
    door.open();
    await world.clock.settle();
    assert.equal(world.inbound.replier.undeliverable, 1);
    const back = new RemotePeer(world);
    await back.send("a", { requestId });
    assert.deepEqual(back.heard, ["a"]);
    assert.deepEqual(world.handled, ["a"]);
  });

  it("[ND-03] the answer goes to the link of the request; when that is gone, to another of the same peer", async () => {
    const door = gate();
    const world = await rig({ handle: (text) => door.promise.then(() => text) });
    const first = new RemotePeer(world);
    const second = new RemotePeer(world);
    await first.send("a");
    await second.send("b");
    second.link.end();
    await world.clock.settle();
    door.open();
    await world.clock.settle();
    assert.deepEqual(first.heard, ["a", "b"]);
  });

  it("[ND-13] a request whose handler crashed is not in flight for ever", async () => {
    const world = await rig({
      async handle() {
        throw new Error("boom");
      },
    });
    const remote = new RemotePeer(world);
    const requestId = await remote.send("a");
    await remote.send("a", { requestId });
    assert.deepEqual(remote.heard, [10010, 10010]);
    assert.equal(world.inbound.mailbox.idle, true);
  });

  it("[ND-16] a transient failure is not remembered, answers have caps, and durable ones outlive the process", async () => {
    const store = new ScriptedStore();
    let busy = true;
    const world = await rig({
      store,
      durable: true,
      options: { inbound: { dedupMaxEntries: 4 } },
      handle(text) {
        if (busy) throw new ActrError("unavailable", "busy", { retryAfterMs: 5 });
        return text;
      },
    });
    const remote = new RemotePeer(world);
    const requestId = await remote.send("a");
    busy = false;
    await remote.send("a", { requestId });
    assert.deepEqual(remote.heard, [10001, "a"]);
    for (let n = 0; n < 10; n++) await remote.send(`more ${n}`);
    const before = world.handled.length;
    await remote.send("a", { requestId });
    assert.equal(world.handled.length, before + 1, "over the cap the oldest is forgotten");

    const next = await rig({ store: store.reopen(), durable: true });
    const back = new RemotePeer(next);
    await back.send("a", { requestId });
    assert.deepEqual(back.heard, ["a"], "the store's answer, not an echo");
    assert.deepEqual(next.handled, []);
  });

  it("repeats beyond the bound are told to come back, and hold nothing", async () => {
    const store = new ScriptedStore();
    const world = await rig({
      store,
      handle(text, { state }) {
        state.put("k", one);
        return text;
      },
    });
    const remote = new RemotePeer(world);
    const disk = gate();
    store.hold = disk.promise;
    const requestId = await remote.send("a");
    for (let n = 0; n < 12; n++) await remote.send("a", { requestId });
    assert.deepEqual(remote.heard, [10001, 10001, 10001, 10001]);
    disk.open();
    await world.clock.settle();
    const answers: unknown[] = remote.heard.slice(4);
    assert.deepEqual(answers, Array(9).fill("a"));
    assert.equal(world.inbound.mailbox.idle, true);
    assert.deepEqual(world.handled, ["a"]);
  });

  it("an answer that cannot be sent is counted", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    remote.link.failures.push(new ActrError("unavailable", "broken"));
    await remote.send("a");
    assert.equal(world.inbound.replier.undeliverable, 1);
  });
});
