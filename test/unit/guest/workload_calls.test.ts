import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, formatActrId, service } from "@roost/edge";
import { EchoRequestSchema, EchoService } from "../../../examples/echo/echo_pb.ts";
import type { GuestChunk } from "../../../src/ports/guest_host.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { encode } from "../../../src/protocol/schema.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { echoNode } from "../node/support.ts";
import { guestNode, ok, routes, shown, text } from "./workload_support.ts";

const limit = { timeout: 60_000 };
const hello = utf8("hello");
const echoRoute = "echo.EchoService.Echo";
const echoed = encode(EchoRequestSchema, { message: "hi" });
const workload = { kind: "workload" } as const;

/** A chunk of a guest. */
function chunk(streamId: string, sequence: bigint): GuestChunk {
  const metadata = [{ key: "k", value: "v" }];
  return { streamId, sequence, payload: hello, metadata, timestampMs: 5n };
}

describe("what a guest asks of its node", () => {
  it("finds a peer, calls it in both ways and tells it", limit, async () => {
    const told: string[] = [];
    await using t = await guestNode(
      routes({
        go: async ({ ask }) => {
          const type = { manufacturer: "acme", name: "EchoService", version: "1.0.0" };
          const found = await ask({ name: "discover", type });
          assert.ok("ok" in found && found.ok !== undefined && "serial" in found.ok);
          const request = { routeKey: echoRoute, payload: echoed };
          const target = { kind: "peer", id: found.ok } as const;
          const answers = [
            await ask({ name: "call", target, ...request }),
            await ask({ name: "call-raw", target: found.ok, ...request }),
            await ask({ name: "tell", target, ...request }),
          ];
          return ok(answers.map(shown).join());
        },
      }),
    );
    const server = echoNode((message, { callerId }) => {
      told.push(formatActrId(callerId));
      return message;
    });
    const caller = await t.peer(server);
    const answer = text(await caller.context.call(t.id, "go", hello));
    assert.equal(answer, "\n\u0002hi,\n\u0002hi,ok");
    await settledUntil(t.clock, "all three are told", () => told.length === 3);
    assert.deepEqual(told, new Array(3).fill(formatActrId(t.id)));
  });

  it("reaches services of the host, which nobody else does", limit, async () => {
    const echo = service(EchoService, {
      handlers: { echo: ({ message }) => ({ reply: message }) },
    });
    const script = routes({
      go: async ({ ask }) =>
        ok(
          shown(
            await ask({
              name: "call",
              target: { kind: "host" },
              routeKey: echoRoute,
              payload: echoed,
            }),
          ),
        ),
    });
    await using t = await guestNode(script, { init: { host: [echo] } });
    const caller = await t.peer();
    assert.equal(text(await caller.context.call(t.id, "go", hello)), "\n\u0002hi");
    await assert.rejects(caller.context.call(t.id, echoRoute, echoed), { code: "unknown_route" });
  });

  it("[GD-8] is told what went wrong, case by case", limit, async () => {
    const peer = {
      kind: "peer",
      id: { realm: 1001, serial: 99n, type: typeOf("acme:gone:1.0.0") },
    };
    const common = { routeKey: "r", payload: hello };
    await using t = await guestNode(
      routes({
        go: async ({ ask }) => {
          const answers = [
            await ask({ name: "discover", type: typeOf("acme:nobody:1.0.0") }),
            await ask({ name: "call", target: { kind: "host" }, ...common }),
            await ask({ name: "register-stream", streamId: "" }),
            await ask({
              name: "send-data-chunk",
              target: workload,
              chunk: chunk("s", 1n),
              lane: lanes.rpcReliable,
            }),
            await ask({
              name: "send-data-chunk",
              target: { kind: "host" },
              chunk: chunk("s", 1n),
              lane: lanes.streamReliable,
            }),
            await ask({ name: "call", target: peer as never, ...common }),
          ];
          return ok(answers.map((each) => shown(each).split(":")[0]).join());
        },
      }),
      { guest: { limits: { entryTimeoutMs: 60_000 } } },
    );
    const caller = await t.peer();
    const answer = await t.clock.through(caller.context.call(t.id, "go", hello));
    const expected = ["not_found", "not_implemented", "invalid_argument", "invalid_argument"];
    assert.deepEqual(text(answer).split(","), [...expected, "not_implemented", "unavailable"]);
  });

  it(
    "[GD-17] a serial guest that calls itself is answered at once, also by way of a peer",
    limit,
    async () => {
      await using t = await guestNode(
        routes({
          direct: async ({ ask }) =>
            ok(
              shown(
                await ask({ name: "call", target: workload, routeKey: "echo", payload: hello }),
              ),
            ),
          around: async ({ ask, payload }) => {
            const id = {
              realm: 1001,
              serial: BigInt(text(payload)),
              type: typeOf("acme:EchoService:1.0.0"),
            };
            return ok(
              shown(
                await ask({ name: "call-raw", target: id, routeKey: echoRoute, payload: echoed }),
              ),
            );
          },
          echo: ({ payload }) => ({ ok: payload }),
        }),
      );
      const way = echoNode(async (_message, context) =>
        context.call(t.id, "echo", hello).then(text, ({ code }: { code: string }) => code),
      );
      const caller = await t.peer(way);
      assert.match(text(await caller.context.call(t.id, "direct", hello)), /^invalid_argument/);
      const serial = utf8(String(caller.id.serial));
      assert.match(text(await caller.context.call(t.id, "around", serial)), /invalid_argument$/);
    },
  );

  it("[GD-17] is entered again by its own call where keys let both be in it", limit, async () => {
    const byValue = { conflictKey: { field: { number: 1, kind: "string" } } } as const;
    await using t = await guestNode(
      routes({
        outer: async ({ ask }) => {
          const payload = encode(EchoRequestSchema, { message: "other" });
          return ok(
            shown(await ask({ name: "call", target: workload, routeKey: "inner", payload })),
          );
        },
        inner: ({ payload }) => ({ ok: payload }),
      }),
      { guest: { methods: { outer: byValue, inner: byValue } } },
    );
    const caller = await t.peer();
    assert.equal(text(await caller.context.call(t.id, "outer", echoed)), "\n\u0005other");
  });

  it("gives up a call when nobody waits for its request any more", limit, async () => {
    const asked: string[] = [];
    await using t = await guestNode(
      routes({
        go: async ({ ask, payload }) => {
          const id = {
            realm: 1001,
            serial: BigInt(text(payload)),
            type: typeOf("acme:EchoService:1.0.0"),
          };
          asked.push(
            shown(
              await ask({ name: "call-raw", target: id, routeKey: echoRoute, payload: echoed }),
            ),
          );
          return ok("");
        },
      }),
    );
    const silent = await t.peer(echoNode(() => new Promise<string>(() => {})));
    const call = silent.context.call(t.id, "go", utf8(String(silent.id.serial)), {
      timeoutMs: 2_000,
    });
    await assert.rejects(t.clock.through(call), { code: "timed_out" });
    await t.clock.advance(1_000);
    assert.deepEqual(asked, ["timed_out: "]);
  });
});

describe("streams of a guest", () => {
  it(
    "[GD-11] enter it in order, and are gone with the instance that registered them",
    limit,
    async () => {
      const told: string[] = [];
      const script = routes({
        listen: async ({ ask }) => ok(shown(await ask({ name: "register-stream", streamId: "s" }))),
        stop: async ({ ask }) => ok(shown(await ask({ name: "unregister-stream", streamId: "s" }))),
        trap: () => {
          throw new Error("unreachable");
        },
        echo: ({ payload }) => ({ ok: payload }),
      });
      await using t = await guestNode((entered) => {
        const { entry, invocation } = entered;
        if (entry.name === "on-data-chunk") {
          const { sequence, metadata, timestampMs } = entry.chunk;
          assert.equal(formatActrId(entry.sender), formatActrId(invocation.callerId ?? t.id));
          told.push(`${invocation.requestId} ${sequence} ${metadata[0]?.value} ${timestampMs}`);
        }
        return script(entered);
      });
      const peer = await t.peer();
      const { streams } = peer.context;
      const send = (sequence: bigint) =>
        streams.send(t.id, "s", {
          payload: hello,
          sequence,
          metadata: [{ key: "a", value: "b" }],
          timestampMs: 7,
        });
      const call = (route: string) => peer.context.call(t.id, route, hello);
      assert.equal(text(await call("listen")), "ok");
      for (const sequence of [1n, 2n, 3n]) await send(sequence);
      await settledUntil(t.clock, "three chunks are told", () => told.length === 3);
      assert.deepEqual(
        told,
        [1, 2, 3].map((each) => `data-chunk:s:${each} ${each} b 7`),
      );
      assert.equal(text(await call("stop")), "ok");
      await send(4n);
      assert.equal(text(await call("listen")), "ok");
      const before = t.node.inbound.streams.size;
      await assert.rejects(call("trap"), { code: "internal" });
      await call("echo");
      assert.equal(before - t.node.inbound.streams.size, 1, "[GD-11]");
      await send(5n);
      await t.clock.settle();
      assert.equal(told.length, 3);
    },
  );

  it(
    "[G-56] [G-57] are answered by the token under which they were registered",
    limit,
    async () => {
      let captured = 0n;
      const received: string[] = [];
      for (const methods of [undefined, { listen: { conflictKey: { sender: true } } }] as const) {
        await using t = await guestNode(
          async ({ entry, invocation, call }) => {
            if (entry.name === "dispatch") {
              captured = invocation.token;
              return ok(
                shown(await call({ name: "register-stream", streamId: "s", token: captured })),
              );
            }
            if (entry.name !== "on-data-chunk") return { ok: undefined };
            const back = chunk("back", entry.chunk.sequence + 10n);
            const target = { kind: "peer", id: entry.sender } as const;
            const lane = lanes.streamReliable;
            await call({ name: "send-data-chunk", token: captured, target, chunk: back, lane });
            return { ok: undefined };
          },
          { guest: methods === undefined ? {} : { methods } },
        );
        const peer = await t.peer(defineNode({}));
        peer.context.streams.register(
          "back",
          ({ sequence }) => void received.push(String(sequence)),
        );
        assert.equal(text(await peer.context.call(t.id, "listen", hello)), "ok");
        const before = received.length;
        await peer.context.streams.send(t.id, "s", { payload: hello, sequence: 1n });
        await settledUntil(t.clock, "the chunk is back", () => received.length > before);
      }
      assert.deepEqual(received, ["11", "11"]);
    },
  );
});

/** A type by its text. */
function typeOf(name: string): { manufacturer: string; name: string; version: string } {
  const [manufacturer = "", own = "", version = ""] = name.split(":");
  return { manufacturer, name: own, version };
}
