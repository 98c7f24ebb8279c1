import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode, type ErrorEvent, type Hooks } from "@roost/edge";
import { TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { echoNode } from "./support.ts";

const limit = { timeout: 60_000 };

/** Hooks that keep what `onError` is told. */
function recorder(): { readonly told: ErrorEvent[]; readonly hooks: Hooks } {
  const told: ErrorEvent[] = [];
  return { told, hooks: { onError: (_context, event) => void told.push(event) } };
}

/** The parts of an event that do not depend on the machine. */
const short = ({ category, error }: ErrorEvent) => [category, error.code];

describe("onError", () => {
  it("[ND-38] is told of a handler's error, of its crash and of a dead letter", limit, async () => {
    const { told, hooks } = recorder();
    const handle = (text: string): string => {
      if (text === "error") throw new ActrError("not_found", "no such thing");
      throw new TypeError("crash");
    };
    await using t = await testNode(echoNode(handle, { hooks }));
    const echo = t.service(EchoService);
    await assert.rejects(echo.echo({ message: "error" }), { code: "not_found" });
    await assert.rejects(echo.echo({ message: "crash" }), { code: "internal" });
    const sender = await t.peer();
    await sender.context.tell(t.id, "echo.EchoService.Echo", Uint8Array.of(255));
    await t.clock.settle();
    assert.deepEqual(told.map(short), [
      ["handler_error", "not_found"],
      ["handler_crash", "internal"],
      ["handler_error", "decode_failure"],
      ["dead_letter", "decode_failure"],
    ]);
    const [error, , , letter] = told;
    assert.match(
      error?.context ?? "",
      /^route_key=echo\.EchoService\.Echo; request_id=.+; caller=.+$/,
    );
    assert.match(letter?.context ?? "", /^dead_letter=.+; category=.+$/);
    assert.equal(error?.at, t.clock.now());
  });

  it(
    "[ND-38] is told when signaling is lost and when it cannot come back, not when the node ends it",
    limit,
    async () => {
      const { told, hooks } = recorder();
      await using t = await testNode(defineNode({ hooks }));
      await t.world.stopRendezvous();
      await t.clock.advance(10_000);
      assert.ok(told.length >= 2, `${told.length} events`);
      for (const event of told) {
        assert.deepEqual(short(event), ["signaling_failure", "unavailable"]);
        assert.match(event.context, /^reason=.+/);
      }
      assert.match(told[0]?.error.message ?? "", /signaling was lost/);
      await t.world.startRendezvous();
      await t.clock.advance(60_000);
      assert.equal(t.node.presence.signaling.connected, true);
      told.length = 0;
      t.node.presence.signaling.reconnect("for the test");
      await t.clock.advance(1_000);
      await t.stop();
      assert.deepEqual(told, []);
    },
  );

  it(
    "[ND-38] is told of a link that was lost and of a dial that failed, not of one that was closed",
    limit,
    async () => {
      const { told, hooks } = recorder();
      await using world = await TestWorld.open();
      const options = { transport: "websocket" } as const;
      const a = await TestNode.start(world, defineNode({ hooks }), options);
      const b = await TestNode.start(world, echoNode(), options);
      const echo = () =>
        a.context.service(EchoService, b.id).echo({ message: "x" }, { timeoutMs: 500 });
      await echo();
      await a.node.outbound.sessions.closeAll("for the test");
      await world.clock.settle();
      assert.equal(told.length, 0);
      await echo();
      const { id } = b;
      await b.restart({ crash: true });
      await world.clock.settle();
      assert.deepEqual(told.map(short), [["transport_failure", "unavailable"]]);
      assert.match(told[0]?.context ?? "", /^peer=.+; transport=websocket; stage=link; reason=.+/);
      await b.stop();
      told.length = 0;
      const refused = a.context.service(EchoService, id).echo({ message: "y" }, { timeoutMs: 500 });
      await assert.rejects(a.clock.through(refused));
      await world.clock.settle();
      const dials = told.filter(({ context }) => context.includes("stage=dial"));
      assert.ok(dials.length > 0, told.map(({ context }) => context).join());
    },
  );
});
