import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { threadStarter } from "../../adapters/guest/start_thread.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { defaultGuestOptions } from "../../src/guest/life/options.ts";
import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import type {
  EntryOutcome,
  GuestImage,
  GuestInstance,
  HostCalls,
} from "../../src/ports/guest_host.ts";
import { dispatch, selfId } from "../fixtures/guest_world.ts";

const thread = new URL("../fixtures/fake_guest_thread.ts", import.meta.url);
const host = workerGuestHost({ clock: systemClock(), startThread: threadStarter(thread) });
const { signal } = new AbortController();
const patience = { timeout: 120_000 };

function load(limits = {}): Promise<GuestImage> {
  const code = { kind: "wasm", binary: new Uint8Array() } as const;
  return host.load(code, { ...defaultGuestOptions, ...limits }, signal);
}

let token = 0n;

/** Dispatches a text; what came back, as text. */
async function ask(instance: GuestInstance, text: string): Promise<string> {
  return shown(await instance.enter(dispatch(text), invocation()));
}

function invocation(): { token: bigint; selfId: typeof selfId; requestId: string } {
  token += 1n;
  return { token, selfId, requestId: "r" };
}

function shown(outcome: EntryOutcome): string {
  return "ok" in outcome ? new TextDecoder().decode(outcome.ok) : outcome.error.code;
}

const none: HostCalls = () => ({ ok: undefined });

describe("a guest in a thread of its own", patience, () => {
  it(
    "is entered, many times at once, and answers with bytes, errors and faults",
    patience,
    async () => {
      await using image = await load();
      const instance = await image.instantiate(none, signal);
      assert.equal(instance.memoryBytes, 65_536);
      const texts = Array.from({ length: 200 }, (_, i) => `hi ${i}`);
      assert.deepEqual(await Promise.all(texts.map((text) => ask(instance, text))), texts);
      assert.equal(await ask(instance, "error"), "connection_not_ready");
      assert.equal(await ask(instance, "grow"), "131072");
      assert.equal(instance.memoryBytes, 131_072);
      await assert.rejects(ask(instance, "trap"), {
        code: "internal",
        message: "it ran for ever",
        details: { fault: "out_of_fuel" },
      });
    },
  );

  it("is given payloads whole, as parts of larger ones, and large", patience, async () => {
    await using image = await load();
    const instance = await image.instantiate(none, signal);
    const pool = Uint8Array.from({ length: 100_000 }, (_, i) => i);
    for (const payload of [pool.subarray(5, 1029), pool.subarray(1, 70_000), new Uint8Array()]) {
      const expected = payload.slice();
      const entry = { ...dispatch(""), envelope: { requestId: "r", routeKey: "r", payload } };
      const outcome = await instance.enter(entry, invocation());
      assert.ok("ok" in outcome);
      assert.deepEqual(outcome.ok, expected);
    }
    assert.equal(pool.length, 100_000, "what was a part is still there");
    const whole = dispatch("x".repeat(50_000));
    await instance.enter(whole, invocation());
    assert.equal(whole.envelope.payload.length, 50_000, "what was whole, too");
  });

  it("calls the node, at once and later, and is told why not", patience, async () => {
    await using image = await load();
    const answers: HostCalls[] = [
      () => ({ ok: new Uint8Array([65]) }),
      async () => ({ ok: new Uint8Array([66]) }),
      () => ({ error: { code: "permission_denied", message: "no" } }),
      () => Promise.reject(new Error("no")),
    ];
    const instance = await image.instantiate(
      (call) => answers.shift()?.(call) ?? { ok: undefined },
      signal,
    );
    const said: string[] = [];
    while (answers.length > 0) said.push(await ask(instance, "call"));
    assert.deepEqual(said, ["A", "B", "permission_denied", "internal"]);
  });

  it(
    "is held back in its thread when it floods the node with calls or lines",
    patience,
    async () => {
      await using image = await load({
        maxHostCalls: 50,
        logLinesPerSecond: 10,
        logLineBytes: 100,
      });
      const calls: string[] = [];
      const instance = await image.instantiate((call) => {
        calls.push(call.name === "log-message" ? `log ${call.message.length}` : call.name);
        return { ok: undefined };
      }, signal);
      assert.equal(await ask(instance, "flood"), "950");
      assert.equal(calls.length, 50);
      await ask(instance, "log");
      const lines = calls.filter((call) => call.startsWith("log"));
      assert.ok(lines.length >= 10 && lines.length < 1000, `${lines.length} of 10000 lines`);
      assert.equal(lines[0], "log 100");
    },
  );

  it(
    "is over when it is discarded: what was in flight fails, the next instance is another",
    patience,
    async () => {
      await using image = await load();
      const instance = await image.instantiate(none, signal);
      const waiting = assert.rejects(ask(instance, "wait"), { details: { fault: "discarded" } });
      instance.discard();
      instance.discard();
      await waiting;
      await assert.rejects(ask(instance, "hi"), { details: { fault: "discarded" } });
      assert.equal(await ask(await image.instantiate(none, signal), "hi"), "hi");
    },
  );

  it("is ended when it computes for ever, and begun anew in another thread", patience, async () => {
    await using image = await load();
    const instance = await image.instantiate(none, signal);
    const spinning = assert.rejects(ask(instance, "spin"), { details: { fault: "discarded" } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    instance.discard();
    await spinning;
    assert.equal(await ask(await image.instantiate(none, signal), "hi"), "hi");
  });

  it("takes nobody along when its thread dies, and is begun anew", patience, async () => {
    await using image = await load();
    const instance = await image.instantiate(none, signal);
    await assert.rejects(ask(instance, "crash"), { details: { fault: "trapped" } });
    const next = await image.instantiate(none, signal);
    const others = [ask(next, "wait"), ask(next, "crash")];
    await Promise.all(
      others.map((other) => assert.rejects(other, { details: { fault: "discarded" } })),
    );
    assert.equal(await ask(await image.instantiate(none, signal), "hi"), "hi");
  });

  it("is not waited for when its signal has ended", patience, async () => {
    const reason = new Error("gone");
    const code = { kind: "wasm", binary: new Uint8Array() } as const;
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(host.load(code, defaultGuestOptions, aborted), reason);
    const controller = new AbortController();
    const loading = host.load(code, defaultGuestOptions, controller.signal);
    controller.abort(reason);
    await assert.rejects(loading, reason);
  });
});
