import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "@roost/edge";
import type { EventHook, HookPayload } from "../../../src/hooks.ts";
import type { GuestEntry } from "../../../src/ports/guest_host.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { gate } from "../node/support.ts";
import { peerId } from "../session/support.ts";
import { guestNode, routes, text } from "./workload_support.ts";

const limit = { timeout: 60_000 };
const hello = utf8("hello");

/** One payload for each observation hook. */
const events: { readonly [Name in Exclude<EventHook, "onError">]: HookPayload<Name> } = {
  onSignalingConnecting: { attempt: 3 },
  onSignalingConnected: {},
  onSignalingDisconnected: { reason: "closed" },
  onWebSocketConnecting: { peer: peerId(2) },
  onWebSocketConnected: { peer: peerId(3), status: "connected" },
  onWebSocketDisconnected: { peer: peerId(4) },
  onWebRtcConnecting: { peer: peerId(5), status: "connecting" },
  onWebRtcConnected: { peer: peerId(6), relayed: true, status: "connected" },
  onWebRtcDisconnected: { peer: peerId(7), status: "idle" },
  onCredentialRenewed: { expiresAt: 1_725_000_000_250 },
  onCredentialExpiring: { expiresAt: 1_725_000_000_000 },
  onMailboxBackpressure: { queueLength: 9, threshold: 4 },
};

const newExpiry = (nanoseconds: number) => ({ seconds: 1_725_000_000n, nanoseconds });

/** What a guest is told of them. */
const entries: readonly GuestEntry[] = [
  { name: "on-signaling-connecting" },
  { name: "on-signaling-connected" },
  { name: "on-signaling-disconnected" },
  { name: "on-websocket-connecting", event: { peer: peerId(2) } },
  { name: "on-websocket-connected", event: { peer: peerId(3) } },
  { name: "on-websocket-disconnected", event: { peer: peerId(4) } },
  { name: "on-webrtc-connecting", event: { peer: peerId(5), status: "connecting" } },
  { name: "on-webrtc-connected", event: { peer: peerId(6), relayed: true, status: "connected" } },
  { name: "on-webrtc-disconnected", event: { peer: peerId(7), status: "idle" } },
  { name: "on-credential-renewed", event: { newExpiry: newExpiry(250_000_000) } },
  { name: "on-credential-expiring", event: { newExpiry: newExpiry(0) } },
  { name: "on-mailbox-backpressure", event: { queueLength: 9n, threshold: 4n } },
];

describe("hooks of a guest", () => {
  it(
    "[G-54] [G-80] [G-81] [G-84] are the node's twelve observations, in order, each under an id of its own",
    limit,
    async () => {
      const seen: { readonly entry: GuestEntry; readonly requestId: string }[] = [];
      await using t = await guestNode(({ entry, invocation }) => {
        assert.equal(invocation.callerId, undefined);
        seen.push({ entry, requestId: invocation.requestId });
        return { ok: undefined };
      });
      await t.clock.settle();
      const before = seen.length;
      for (const [name, event] of Object.entries(events)) {
        t.node.hooks.emit(name as EventHook, event as HookPayload<EventHook>);
      }
      await settledUntil(
        t.clock,
        "every event has entered",
        () => seen.length === before + entries.length,
      );
      const told = seen.slice(before);
      assert.deepEqual(
        told.map(({ entry }) => entry),
        entries,
      );
      const ids = told.map(({ requestId }) => requestId);
      assert.deepEqual(
        ids,
        entries.map(({ name }) => `hook:${name.replaceAll("-", "_")}`),
      );
      assert.equal(new Set(ids).size, 12);
    },
  );

  it(
    "[G-82] begin with on-start and on-ready and end with on-stop, told what peers do in between",
    limit,
    async () => {
      const host = new FakeGuestHost();
      const t = await guestNode(() => ({ ok: undefined }), { host });
      const peer = await t.peer();
      await peer.context.call(t.id, "r", hello);
      await t[Symbol.asyncDispose]();
      const names = host.instance.entered.map((each) => each.split(" ")[0]);
      const expected = [
        "on-signaling-connecting",
        "on-signaling-connected",
        "on-start",
        "on-ready",
      ];
      assert.deepEqual(names.slice(0, 5), [...expected, "dispatch"]);
      assert.ok(names.includes("on-stop"));
    },
  );

  it("[G-65] on-start may use its context, and dispatches work afterwards", limit, async () => {
    const found: string[] = [];
    await using t = await guestNode(async ({ entry, invocation, call }) => {
      if (entry.name === "dispatch") return { ok: entry.envelope.payload };
      if (entry.name !== "on-start") return { ok: undefined };
      const type = { manufacturer: "acme", name: "nobody", version: "1.0.0" };
      const answer = await call({ name: "discover", token: invocation.token, type });
      found.push("error" in answer ? answer.error.code : "ok");
      return { ok: undefined };
    });
    assert.deepEqual(found, ["not_found"]);
    const peer = await t.peer();
    assert.equal(text(await peer.context.call(t.id, "r", hello)), "hello");
  });

  it(
    "[GD-10] hear of errors, not of those that hearing makes, nor of what ended the guest itself",
    limit,
    async () => {
      const told: GuestEntry[] = [];
      const script = routes({
        fail: () => ({ error: { code: "not_found", message: "no such thing" } }),
        trap: () => {
          throw new Error("unreachable");
        },
      });
      await using t = await guestNode((entered) => {
        if (entered.entry.name !== "on-error") return script(entered);
        told.push(entered.entry);
        return { error: { code: "internal", message: "on-error fails, too" } };
      });
      const peer = await t.peer();
      await assert.rejects(peer.context.call(t.id, "fail", hello), { code: "not_found" });
      await assert.rejects(peer.context.call(t.id, "trap", hello), { code: "internal" });
      t.node.hooks.emit("onError", {
        error: new ActrError("unavailable", "it broke off"),
        category: "delivery_uncertain",
        facts: { stream_id: "s" },
        context: "stream_id=s",
        at: 1_250,
      });
      await settledUntil(t.clock, "both errors are told", () => told.length >= 2);
      await t.clock.settle();
      assert.equal(told.length, 2, JSON.stringify(told.map(({ name }) => name)));
      const [handler, stream] = told;
      assert.ok(handler?.name === "on-error" && stream?.name === "on-error");
      assert.equal(handler.event.category, "handler-error");
      assert.deepEqual(handler.event.source, { code: "not_found", message: "no such thing" });
      assert.match(handler.event.context, /route_key=fail/);
      assert.deepEqual(stream.event, {
        source: { code: "unavailable", message: "it broke off" },
        category: "data-chunk-delivery-uncertain",
        context: "stream_id=s",
        timestamp: { seconds: 1n, nanoseconds: 250_000_000 },
      });
    },
  );

  it(
    "[GD-16] one that takes too long ends after a second, and holds up no other observer",
    limit,
    async () => {
      const told: string[] = [];
      const never = gate();
      await using t = await guestNode(
        ({ entry }) =>
          entry.name === "on-mailbox-backpressure"
            ? never.promise.then(() => ({ ok: undefined }))
            : { ok: entry.name === "dispatch" ? entry.envelope.payload : undefined },
        { init: { hooks: { onMailboxBackpressure: () => void told.push("node") } } },
      );
      for (let event = 0; event < 3; event += 1) {
        t.node.hooks.emit("onMailboxBackpressure", { queueLength: 9, threshold: 4 });
      }
      await t.clock.settle();
      assert.deepEqual(told, ["node", "node", "node"]);
      const peer = await t.peer();
      const call = peer.context.call(t.id, "r", hello);
      await t.clock.advance(1_000);
      assert.equal(t.node.guest?.status().faults.timed_out, 1);
      assert.equal(text(await t.clock.through(call)), "hello");
      never.open();
    },
  );
});

describe("calls of a guest and their keys", () => {
  const field = { number: 1, kind: "bytes" } as const;

  /** A node whose calls end when the test says so; the first field of their payload is their key. */
  async function heldNode(methods = { held: { conflictKey: { field } } }, concurrent = true) {
    const running: string[] = [];
    const ends = new Map<string, () => void>();
    const t = await guestNode(
      routes({
        held: ({ payload }) =>
          new Promise((resolve) => {
            const name = text(payload.subarray(2));
            running.push(name);
            ends.set(name, () => {
              running.splice(running.indexOf(name), 1);
              resolve({ ok: payload });
            });
          }),
      }),
      { guest: { methods }, init: { options: { dispatch: { concurrent, budget: 3 } } } },
    );
    const peer = await t.peer();
    const call = (key: string, name: string) =>
      peer.context.call(t.id, "held", utf8(`\n\u0001${key}${name}`));
    const end = (name: string): void => ends.get(name)?.();
    /** Until these run, in whatever order they came. */
    const run = async (...names: string[]): Promise<void> => {
      await settledUntil(t.clock, `${names} run`, () => names.length === running.length);
      await t.clock.settle();
      assert.deepEqual([...running].sort(), [...names].sort());
    };
    return { t, call, end, run };
  }

  it(
    "[G-68] [G-69] [G-70] different keys are in it at once up to the budget, one key never twice",
    limit,
    async () => {
      const { t, call, end, run } = await heldNode();
      await using _ = t;
      const calls = [
        call("a", ""),
        call("b", ""),
        call("a", "\u0012\u0001x"),
        call("c", ""),
        call("d", ""),
      ];
      await run("a", "b", "c");
      end("b");
      await run("a", "c", "d");
      end("a");
      await run("c", "d", "a\u0012\u0001x");
      for (const name of ["c", "d", "a\u0012\u0001x"]) end(name);
      await Promise.all(calls);
    },
  );

  it(
    "[G-67] [G-74] [G-77] one at a time where nothing is declared, or the gate is off",
    limit,
    async () => {
      const variants = [heldNode({} as never), heldNode(undefined, false)];
      for (const made of variants) {
        const { t, call, end, run } = await made;
        await using _ = t;
        const calls = [call("a", ""), call("b", "")];
        await run("a");
        end("a");
        await run("b");
        end("b");
        await Promise.all(calls);
      }
    },
  );

  it("[G-75] a repeat of a call under way gets its answer, and enters nothing", limit, async () => {
    const { t, call, end, run } = await heldNode();
    await using _ = t;
    const peer = await t.peer();
    const options = { requestId: "same" };
    const same = () => peer.context.call(t.id, "held", utf8("\n\u0001a"), options);
    const [first, repeat, other] = [same(), same(), call("b", "")];
    await run("a", "b");
    end("b");
    end("a");
    assert.deepEqual(await first, await repeat);
    await other;
    assert.deepEqual(await same(), await first);
    await run();
  });

  it("are refused as configuration where they cannot be read", limit, async () => {
    for (const key of [{ number: 0, kind: "string" }, { number: 1, kind: "float" }, "name"]) {
      const methods = { held: { conflictKey: { field: key as never } } };
      await assert.rejects(heldNode(methods), {
        code: "config",
        message: /conflictKey of held is/,
      });
    }
  });
});
