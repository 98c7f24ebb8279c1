import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeCbor } from "../../../../src/protocol/cbor/decode.ts";
import { encodeCbor } from "../../../../src/protocol/cbor/encode.ts";
import { InspectorClient } from "./inspector_client.ts";
import { get, inspectToken, openNode, sends } from "./support.ts";

describe("an inspector's WebSocket", () => {
  it("is closed without the token, and shows nothing", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    for (const token of ["wrong", "", "a-token-of-the-tes"]) {
      const client = await InspectorClient.open(t, id, "json", token);
      assert.deepEqual(client.end, { code: 1008, reason: "inspector.unauthorized" });
      assert.deepEqual(client.messages, []);
    }
    const cbor = await InspectorClient.open(t, id, "cbor");
    assert.equal(cbor.end?.code, 1003);
    const unknown = await InspectorClient.open(t, "none");
    assert.deepEqual(unknown.end, { code: 1011, reason: "actor.not_found" });
    assert.equal(unknown.messages[0]?.tag, "Error");
  });

  it("begins with all of an actor, which it does not wake", async () => {
    await using t = await openNode();
    await t.actors.room.get("a").add(2);
    const id = await t.actors.room.get("a").resolve();
    await t.clock.advance(60_000);
    const client = await InspectorClient.open(t, id);
    const [init] = client.tagged("Init");
    assert.deepEqual(
      { ...init, rpcs: [] },
      {
        connections: [],
        state: { count: 2, seen: ["$Map", [["a", 1]]], at: ["$Date", 5] },
        isStateEnabled: true,
        rpcs: [],
        isDatabaseEnabled: false,
        queueSize: 0,
        workflowHistory: null,
        isWorkflowEnabled: false,
      },
    );
    assert.deepEqual(client.tagged("LifecycleUpdated"), [{ lifecycle: "asleep" }]);
    assert.equal(t.node.actors?.awake, 0);
  });

  it("is told of changes within 50 ms, of many at once, over a sleep of the actor", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    const id = await a.resolve();
    const client = await InspectorClient.open(t, id);
    for (let n = 0; n < 10; n++) await a.add(1);
    await a.put(1);
    await t.clock.advance(49);
    assert.deepEqual([client.tagged("StateUpdated"), client.tagged("QueueUpdated")], [[], []]);
    await t.clock.advance(1);
    const counts = (): unknown[] =>
      client.tagged("StateUpdated").map(({ state }) => (state as { count: number }).count);
    assert.deepEqual(counts(), [10]);
    assert.deepEqual(client.tagged("QueueUpdated"), [{ queueSize: 1 }]);
    await t.clock.advance(60_000);
    assert.deepEqual(client.tagged("LifecycleUpdated").at(-1), { lifecycle: "asleep" });
    assert.equal(t.node.actors?.awake, 0);
    await a.add(5);
    await t.clock.advance(50);
    assert.deepEqual(counts(), [10, 15]);
    assert.deepEqual(client.tagged("LifecycleUpdated").at(-1), { lifecycle: "started" });
    client.socket.close(1000, "");
    await a.add(1);
    await t.clock.advance(100);
    assert.deepEqual(counts(), [10, 15]);
    assert.equal(t.node.actors?.instance(id)?.watch, undefined);
  });

  it("asks for every part, and changes the state", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    const id = await a.resolve();
    const client = await InspectorClient.open(t, id);
    const answer = async (tag: string, val: object, reply: string): Promise<unknown> => {
      client.send(tag, val);
      await t.clock.settle();
      return client.tagged(reply).at(-1);
    };
    await a.put(4);
    client.send("PatchStateRequest", { state: { count: 7 } });
    await t.clock.settle();
    assert.deepEqual(await answer("StateRequest", { id: 1 }, "StateResponse"), {
      rid: 1,
      state: { count: 7 },
      isStateEnabled: true,
    });
    const acted = await answer(
      "ActionRequest",
      { id: 2, name: "add", args: [1] },
      "ActionResponse",
    );
    assert.deepEqual(acted, { rid: 2, output: 8 });
    const queue = (await answer("QueueRequest", { id: 3, limit: 1_000 }, "QueueResponse")) as {
      status: { size: number; messages: { name: string }[] };
    };
    assert.deepEqual([queue.status.size, queue.status.messages[0]?.name], [1, "jobs"]);
    assert.deepEqual(await answer("ConnectionsRequest", { id: 4 }, "ConnectionsResponse"), {
      rid: 4,
      connections: [],
    });
    const rpcs = (await answer("RpcsListRequest", { id: 5 }, "RpcsListResponse")) as {
      rpcs: string[];
    };
    assert.ok(rpcs.rpcs.includes("add"));
    const failures = [
      ["ActionRequest", { id: 6, name: "fail", args: [] }, /broken inside/],
      ["ActionRequest", { id: 6, name: "add", args: 1 }, /no array/],
      ["ActionRequest", { id: -1, name: "add", args: [] }, /wrong id/],
      ["DatabaseSchemaRequest", { id: 7 }, /no database/],
      ["Nonsense", {}, /unknown/],
      ["PatchStateRequest", { state: ["$Nope", 1] }, /no value/],
    ] as const;
    for (const [tag, val, message] of failures) {
      const error = (await answer(tag, val, "Error")) as { message: string };
      assert.match(error.message, message);
    }
    assert.equal(client.end, undefined);
  });

  it("keeps no token in the store, and shows turns as traces from when somebody looks [HD-29]", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    const id = await a.resolve();
    await a.add(1);
    const client = await InspectorClient.open(t, id);
    await a.add(1);
    await a.fail().catch(() => {});
    interface Traces {
      readonly otlp: { readonly resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    }
    interface Span {
      readonly name: string;
      readonly traceId: string;
      readonly startTimeUnixNano: string;
      readonly status: { readonly message?: string };
    }
    const traces = await get<Traces>(t, `/actors/${id}/traces`);
    const spans = traces.otlp.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    assert.deepEqual(
      spans.map(({ name, status }) => [name, status.message]),
      [
        ["actor.action.add", undefined],
        ["actor.action.fail", "internal"],
      ],
    );
    assert.match(spans[0]?.traceId ?? "", /^[0-9a-f]{32}$/);
    assert.equal(spans[0]?.startTimeUnixNano, `${t.clock.now()}000000`);
    client.send("TraceQueryRequest", { id: 1, startMs: 0, endMs: 9e15, limit: 1 });
    await t.clock.settle();
    const [{ payload } = { payload: undefined }] = client.tagged("TraceQueryResponse");
    assert.equal((payload as { clamped: boolean }).clamped, true);
    const later = await get<Traces>(t, `/actors/${id}/traces?startMs=${t.clock.now() + 1}`);
    assert.deepEqual(later.otlp.resourceSpans[0]?.scopeSpans[0]?.spans, []);
    await t.clock.advance(60_000);
    const decoder = new TextDecoder();
    for (let space = await t.store.nextSpace(""); space !== undefined; ) {
      for (const { key, value } of await t.store.records(space, "", 1_000)) {
        assert.ok(!`${key} ${decoder.decode(value)}`.includes(inspectToken));
      }
      space = await t.store.nextSpace(space);
    }
  });

  it("speaks versions 2, 3 and 4 in bare, and answers in the one that was spoken last", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    await a.add(1);
    const client = await InspectorClient.open(t, await a.resolve(), "bare");
    // The tags of each version's union.
    const [version, init, rest] = client.lastBare();
    assert.deepEqual([version, init], [4, 13n]);
    assert.equal(rest.uint(), 0n);
    assert.deepEqual(
      rest.optional(() => (decodeCbor(rest.data()) as { count: number }).count),
      1,
    );
    for (const [spoken, state, error] of [
      [2, 0n, 11n],
      [3, 0n, 11n],
      [4, 0n, 12n],
    ] as const) {
      client.sendBare(spoken, 1, (writer) => writer.uint(300n));
      await t.clock.settle();
      const [written, tag, answer] = client.lastBare();
      assert.deepEqual([written, tag, answer.uint()], [spoken, state, 300n]);
      client.sendBare(spoken, 3, (writer) => {
        return writer.uint(1n).str("fail").data(encodeCbor([]));
      });
      await t.clock.settle();
      const [, failed, message] = client.lastBare();
      assert.deepEqual([failed, message.str()], [error, "broken inside"]);
    }
    client.sendBare(4, 0, (writer) => writer.data(encodeCbor({ count: 20 })));
    await t.clock.advance(50);
    const [, updated, state] = client.lastBare();
    assert.deepEqual([updated, decodeCbor(state.data())], [5n, { count: 20 }]);
    for (const [spoken, tag] of [
      [1, 0],
      [9, 0],
      [2, 8],
      [4, 11],
    ] as const) {
      client.sendBare(spoken, tag, (writer) => writer.uint(1n));
      await t.clock.settle();
      assert.equal(client.lastBare()[1], 12n);
    }
  });

  it("is bounded: requests, inspectors, and what one leaves unread", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    const client = await InspectorClient.open(t, id);
    for (let n = 0; n < 200; n++) client.send("QueueRequest", { id: n, limit: 1 });
    await t.clock.settle();
    const errors = client.tagged("Error").length;
    assert.equal(errors, 200 - 64);
    assert.equal(errors + client.tagged("QueueResponse").length, 200);
    const clients: InspectorClient[] = [];
    for (let n = 0; n < 100; n++) clients.push(await InspectorClient.open(t, id));
    assert.equal(clients.filter(({ end }) => end === undefined).length, 99);
    assert.deepEqual(clients.at(-1)?.end, { code: 1013, reason: "actor.overloaded" });
    for (const each of [client, ...clients]) each.socket.close(1000, "");
    await t.clock.settle();
    assert.equal((await InspectorClient.open(t, id)).end, undefined);
    assert.deepEqual(await get(t, `/actors/${id}/state`, sends("PATCH", { state: {} })), {
      ok: true,
    });
  });
});
