import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode, formatActrId, type NodeContext } from "@roost/edge";
import { FakeClock, TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { ErrorEvent, EventHook, HookPayload, Hooks } from "../../../src/hooks.ts";
import { AisClient } from "../../../src/identity/ais_client.ts";
import { uncertainDeliveryEvent } from "../../../src/node/error_events.ts";
import { HookQueue } from "../../../src/node/hooks.ts";
import { never, RecordingLogger } from "../identity/support.ts";
import { peerId } from "../session/support.ts";
import { echoNode, gate, recordingHooks } from "./support.ts";

const limit = { timeout: 60_000 };
const context = {} as NodeContext;

function queue(observers: readonly Hooks[], bound = 100) {
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const options = { maxHookEvents: bound, hookTimeoutMs: 30_000 };
  const hooks = new HookQueue({ observers, clock, log, context: () => context }, options);
  return { log, clock, hooks };
}

/** One payload for each event hook. */
const hookEvents: { readonly [Name in EventHook]: HookPayload<Name> } = {
  onError: {
    error: new ActrError("unavailable", "gone"),
    category: "delivery_uncertain",
    facts: { stream_id: "s" },
    context: "stream_id=s",
    at: 5,
  },
  onSignalingConnecting: { attempt: 3 },
  onSignalingConnected: {},
  onSignalingDisconnected: { reason: "closed" },
  onWebSocketConnecting: { peer: peerId(2) },
  onWebSocketConnected: { peer: peerId(3) },
  onWebSocketDisconnected: { peer: peerId(4) },
  onWebRtcConnecting: { peer: peerId(5), status: "connecting" },
  onWebRtcConnected: { peer: peerId(6), relayed: true },
  onWebRtcDisconnected: { peer: peerId(7), status: "idle" },
  onCredentialRenewed: { expiresAt: 1_725_000_000_000 },
  onCredentialExpiring: { expiresAt: 1_725_000_000_000 },
  onMailboxBackpressure: { queueLength: 9, threshold: 4 },
};

const names = Object.keys(hookEvents) as EventHook[];

/** Emits the event of `name`; the type of both is checked above. */
function emit<Name extends EventHook>(hooks: HookQueue, name: Name): void {
  hooks.emit(name, hookEvents[name]);
}

describe("hooks", () => {
  it("[N-129] [N-131] each event reaches its hook once, with all that it carries", async () => {
    const seen: [string, unknown][] = [];
    const observer = Object.fromEntries(
      names.map((name) => [
        name,
        (_context: NodeContext, event: unknown) => void seen.push([name, event]),
      ]),
    ) as Hooks;
    const { hooks } = queue([observer]);
    for (const name of names) emit(hooks, name);
    await hooks.settled();
    assert.deepEqual(
      seen,
      names.map((name) => [name, hookEvents[name]]),
    );
  });

  it("[N-127] an observer that throws is logged and harms nobody", async () => {
    const told: string[] = [];
    const failing: Hooks = {
      onSignalingConnected() {
        throw new Error("observer broken");
      },
      onSignalingDisconnected: async () => {
        throw new Error("observer broken, later");
      },
    };
    const { hooks, log } = queue([failing, recordingHooks(told)]);
    emit(hooks, "onSignalingConnected");
    emit(hooks, "onSignalingDisconnected");
    emit(hooks, "onCredentialRenewed");
    await hooks.settled();
    assert.deepEqual(told, [
      "onSignalingConnected",
      "onSignalingDisconnected",
      "onCredentialRenewed",
    ]);
    assert.equal(log.levels("hook.failed").length, 2);
  });

  it("[ND-36] one queue tells events in their order, one at a time; beyond its bound they are dropped and counted", async () => {
    const told: string[] = [];
    const door = gate();
    const slow: Hooks = {
      async onSignalingConnecting(_context, { attempt }) {
        told.push(`begin ${attempt}`);
        if (attempt === 0) await door.promise;
        told.push(`end ${attempt}`);
      },
      onSignalingConnected: () => void told.push("connected"),
    };
    const { hooks } = queue([slow], 3);
    hooks.emit("onSignalingConnecting", { attempt: 0 });
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(told, ["begin 0"]);
    hooks.emit("onSignalingConnecting", { attempt: 1 });
    hooks.emit("onSignalingConnected", {});
    hooks.emit("onSignalingConnecting", { attempt: 2 });
    hooks.emit("onSignalingConnecting", { attempt: 3 });
    hooks.emit("onSignalingConnected", {});
    assert.equal(hooks.dropped, 2);
    door.open();
    await hooks.settled();
    assert.deepEqual(told, [
      "begin 0",
      "end 0",
      "begin 1",
      "end 1",
      "connected",
      "begin 2",
      "end 2",
    ]);
  });

  it("never run inside the code that caused them", async () => {
    const told: string[] = [];
    const { hooks } = queue([recordingHooks(told)]);
    emit(hooks, "onSignalingConnected");
    assert.deepEqual(told, []);
    await hooks.settled();
    assert.deepEqual(told, ["onSignalingConnected"]);
  });

  it("are logged with or without an observer, at the levels of spec/node.md §11.1", () => {
    const uncertain = ["stream_id", "severity", "error_category", "error_code", "error"];
    const { hooks, log } = queue([]);
    for (const name of names) emit(hooks, name);
    for (const category of ["handler_error", "signaling_failure", "transport_failure"] as const) {
      hooks.emit("onError", { ...hookEvents.onError, category });
    }
    assert.deepEqual(
      log.records.map(({ level, event, attributes }) => [level, event, Object.keys(attributes)]),
      [
        ["warn", "stream.delivery_uncertain", uncertain],
        ["debug", "signaling.connecting", ["attempt"]],
        ["info", "signaling.connected", []],
        ["warn", "signaling.disconnected", ["reason"]],
        ["debug", "websocket.connecting", ["peer"]],
        ["info", "websocket.connected", ["peer"]],
        ["warn", "websocket.disconnected", ["peer"]],
        ["debug", "webrtc.connecting", ["status", "peer"]],
        ["info", "webrtc.connected", ["relayed", "peer"]],
        ["warn", "webrtc.disconnected", ["status", "peer"]],
        ["info", "credential.renewed", ["expires_at"]],
        ["warn", "credential.expiring", ["expires_at"]],
        ["warn", "mailbox.backpressure", ["queue_length", "threshold"]],
        ["error", "node.error", uncertain],
        ["warn", "node.error", uncertain],
        ["warn", "node.error", uncertain],
      ],
    );
    assert.equal(hooks.dropped, 0);
  });

  it("are logged with ids as text", () => {
    const { hooks, log } = queue([]);
    hooks.emit("onCredentialRenewed", { expiresAt: 1, previousId: peerId(8) });
    hooks.emit("onWebSocketConnected", { peer: peerId(9) });
    assert.deepEqual(
      log.records.map(({ attributes }) => attributes),
      [{ expires_at: 1, previous_id: formatActrId(peerId(8)) }, { peer: formatActrId(peerId(9)) }],
    );
  });

  it("[N-132] observers are told side by side, each of every event, and all end before the next", async () => {
    const told: string[] = [];
    const door = gate();
    const observer = (name: string): Hooks => ({
      async onSignalingConnecting(_context, { attempt }) {
        told.push(`${name} begins ${attempt}`);
        if (name === "a" && attempt === 1) await door.promise;
        told.push(`${name} ends ${attempt}`);
      },
    });
    const { hooks, clock } = queue([observer("a"), observer("b")]);
    hooks.emit("onSignalingConnecting", { attempt: 1 });
    hooks.emit("onSignalingConnecting", { attempt: 2 });
    await clock.settle();
    assert.deepEqual(told, ["a begins 1", "b begins 1", "b ends 1"]);
    door.open();
    await hooks.settled();
    const second = ["a begins 2", "a ends 2", "b begins 2", "b ends 2"];
    assert.deepEqual(told.slice(3), ["a ends 1", ...second]);
    assert.equal(clock.pending, 0);
  });

  it("[N-133] a peer that is recovering and then idle is told in that order", async () => {
    const told: unknown[] = [];
    const { hooks } = queue([
      { onWebRtcDisconnected: async (_context, { status }) => void told.push(status) },
    ]);
    for (const status of ["recovering", "idle"] as const) {
      hooks.emit("onWebRtcDisconnected", { peer: peerId(2), status });
    }
    await hooks.settled();
    assert.deepEqual(told, ["recovering", "idle"]);
  });

  it("[N-134] an uncertain delivery is told to onError: Unavailable, with stream, session and reason", async () => {
    const told: ErrorEvent[] = [];
    const { hooks } = queue([{ onError: (_context, event) => void told.push(event) }]);
    const where = { streamId: "s-1", sessionId: "4", reason: "connection closed" };
    hooks.emit("onError", uncertainDeliveryEvent(where, 9));
    await hooks.settled();
    const [event] = told;
    assert.equal(event?.error.code, "unavailable");
    assert.equal(event?.category, "delivery_uncertain");
    assert.equal(event?.context, "stream_id=s-1; session_id=4; reason=connection closed");
    assert.equal(event?.at, 9);
  });

  it("an observer that never ends is left after its time, and the next event is told", async () => {
    const told: number[] = [];
    const hanging: Hooks = {
      onSignalingConnecting(_context, { attempt }) {
        told.push(attempt);
        return attempt === 1 ? new Promise(() => {}) : undefined;
      },
    };
    const { hooks, clock, log } = queue([hanging]);
    hooks.emit("onSignalingConnecting", { attempt: 1 });
    hooks.emit("onSignalingConnecting", { attempt: 2 });
    await clock.advance(29_999);
    assert.deepEqual(told, [1]);
    await clock.advance(1);
    await hooks.settled();
    assert.deepEqual(told, [1, 2]);
    assert.deepEqual(log.levels("hook.failed"), ["error"]);
    assert.equal(clock.pending, 0);
  });

  it("once closed they tell nothing, wait for nobody and hold no timer", async () => {
    const told: number[] = [];
    const { hooks, clock } = queue([
      {
        onSignalingConnecting(_context, { attempt }) {
          told.push(attempt);
          return new Promise(() => {});
        },
      },
    ]);
    for (const attempt of [1, 2]) hooks.emit("onSignalingConnecting", { attempt });
    await clock.settle();
    hooks.close();
    await hooks.settled();
    hooks.emit("onSignalingConnecting", { attempt: 3 });
    await clock.settle();
    assert.deepEqual(told, [1]);
    assert.equal(clock.pending, 0);
    assert.equal(hooks.dropped, 0);
  });
});

describe("hooks of a node", () => {
  it(
    "[ND-37] WebSocket links are told in both directions, each connecting with its end",
    limit,
    async () => {
      const [ofA, ofB]: [string[], string[]] = [[], []];
      await using world = await TestWorld.open();
      const options = { transport: "websocket" } as const;
      const a = await TestNode.start(world, defineNode({ hooks: recordingHooks(ofA) }), options);
      const b = await TestNode.start(
        world,
        echoNode(undefined, { hooks: recordingHooks(ofB) }),
        options,
      );
      const links = (told: readonly string[]) =>
        told.filter((each) => each.startsWith("onWebSocket"));
      const up = ["onWebSocketConnecting", "onWebSocketConnected"];
      await a.context.service(EchoService, b.id).echo({ message: "x" });
      await world.clock.settle();
      assert.deepEqual(links(ofA), up, "outbound");
      assert.deepEqual(links(ofB), up, "inbound");
      await a.node.outbound.sessions.closeAll("test");
      await world.clock.settle();
      assert.deepEqual(links(ofA), [...up, "onWebSocketDisconnected"]);
      assert.deepEqual(links(ofB), [...up, "onWebSocketDisconnected"]);
      const { id } = b;
      await b.stop();
      ofA.length = 0;
      const refused = a.context.service(EchoService, id).echo({ message: "y" }, { timeoutMs: 500 });
      await assert.rejects(a.clock.through(refused));
      await world.clock.settle();
      assert.deepEqual(
        links(ofA),
        ["onWebSocketConnecting", "onWebSocketDisconnected"],
        "a dial that fails ends too",
      );
    },
  );

  it("tell of signaling that goes and comes back", limit, async () => {
    const told: string[] = [];
    await using t = await testNode(echoNode(undefined, { hooks: recordingHooks(told) }));
    await t.world.stopRendezvous();
    await t.clock.settle();
    await t.world.startRendezvous();
    await t.clock.advance(30_000);
    const signaling = told.filter((each) => each.startsWith("onSignaling"));
    assert.deepEqual(signaling.slice(0, 3), [
      "onSignalingConnecting",
      "onSignalingConnected",
      "onSignalingDisconnected",
    ]);
    assert.equal(signaling.at(-1), "onSignalingConnected");
    assert.equal(t.node.presence.signaling.connected, true);
  });

  it("[ND-39] can call peers, and read who the node is now", limit, async () => {
    await using world = await TestWorld.open();
    const peer = await TestNode.start(world, echoNode());
    const replies: string[] = [];
    const definition = defineNode({
      hooks: {
        async onSignalingConnected(hookContext) {
          const { reply } = await hookContext
            .service(EchoService, peer.id)
            .echo({ message: String(hookContext.selfId.serial) });
          replies.push(reply);
        },
      },
    });
    const t = await TestNode.start(world, definition);
    await world.clock.settle();
    assert.deepEqual(replies, [`Echo: ${t.id.serial}`]);
  });

  it(
    "[N-130] [ND-39] have a context from the first event on, which reads live who the node is",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const seen: [string, bigint][] = [];
      const kept: NodeContext[] = [];
      const note = (name: string) => (hookContext: NodeContext) => {
        kept.push(hookContext);
        seen.push([name, hookContext.selfId.serial]);
      };
      const hooks: Hooks = {
        onSignalingConnecting: note("connecting"),
        onSignalingConnected: note("connected"),
        onStart: note("start"),
        onCredentialRenewed: note("renewed"),
      };
      const t = await TestNode.start(world, defineNode({ hooks }));
      await world.clock.settle();
      const first = t.id.serial;
      // Signaling comes before the node runs; nothing is skipped for want of a context.
      assert.deepEqual(seen.slice(0, 3).sort(), [
        ["connected", first],
        ["connecting", first],
        ["start", first],
      ]);
      const ais = new AisClient(world, { url: world.aisUrl });
      const { session } = t.node.presence;
      session.commit(await ais.register({ type: t.id.type, realm: 1001 }, { signal: never }));
      await world.clock.settle();
      const second = t.id.serial;
      assert.notEqual(second, first);
      for (const hookContext of kept) assert.equal(hookContext.selfId.serial, second);
      assert.deepEqual(seen.at(-1), ["connected", second]);
    },
  );

  it("tell of a mailbox that fills up, once", limit, async () => {
    const pressure: unknown[] = [];
    const door = gate();
    const definition = echoNode((text) => door.promise.then(() => text), {
      options: { mailbox: { backpressureThreshold: 3 } },
      hooks: { onMailboxBackpressure: (_context, event) => void pressure.push(event) },
    });
    await using t = await testNode(definition);
    const echo = t.service(EchoService);
    const calls = Array.from({ length: 8 }, (_, n) => echo.echo({ message: String(n) }));
    await t.clock.settle();
    assert.deepEqual(pressure, [{ queueLength: 3, threshold: 3 }]);
    door.open();
    await Promise.all(calls);
  });
});
