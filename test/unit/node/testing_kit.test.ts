import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, service } from "@roost/edge";
import { testNode } from "@roost/edge/testing";
import { app } from "../../../examples/echo/app.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";

const limit = { timeout: 60_000 };

describe("testNode", () => {
  for (const transport of ["memory", "websocket"] as const) {
    it(`calls a node as a peer would, over ${transport}`, limit, async () => {
      await using t = await testNode(app, { transport });
      const { reply } = await t.service(EchoService).echo({ message: "hi" });
      assert.equal(reply, "Echo: hi");
    });
  }

  it("lets a node find and call a peer in the same world", limit, async () => {
    await using t = await testNode(defineNode({}));
    const echo = await t.peer(app);
    const [found] = await t.context.discover("acme:EchoService:1.0.0");
    assert.equal(found?.serial, echo.id.serial);
    assert.equal(
      (await t.context.service(EchoService, echo.id).echo({ message: "x" })).reply,
      "Echo: x",
    );
  });

  it("gives the same ids for the same seed, and others for another", limit, async () => {
    const firstId = async (seed: number): Promise<string> => {
      let requestId = "";
      const echo = service(EchoService, {
        handlers: {
          echo: (_request, context) => {
            requestId = context.requestId;
            return {};
          },
        },
      });
      await using t = await testNode(defineNode({ services: [echo] }), { seed });
      await t.service(EchoService).echo({});
      return requestId;
    };
    assert.equal(await firstId(1), await firstId(1));
    assert.notEqual(await firstId(1), await firstId(2));
  });

  it("lets no time pass by itself", limit, async () => {
    await using t = await testNode(app);
    const before = t.clock.now();
    await t.service(EchoService).echo({ message: "hi" });
    assert.equal(t.clock.now(), before);
    await t.clock.advance(90_000);
    assert.equal(t.clock.now(), before + 90_000);
    assert.equal(t.node.presence.signaling.connected, true);
  });

  it("keeps the identity and the store over a restart", limit, async () => {
    await using t = await testNode(app);
    const { serial } = t.id;
    await t.restart();
    assert.equal(t.id.serial, serial);
    assert.equal((await t.service(EchoService).echo({ message: "again" })).reply, "Echo: again");
  });

  it("comes back after a crash, and its peers reach it", limit, async () => {
    for (const transport of ["memory", "websocket"] as const) {
      await using t = await testNode(app, { transport });
      const { serial } = t.id;
      const echo = t.service(EchoService);
      await echo.echo({ message: "before" });
      await t.restart({ crash: true });
      assert.equal(t.id.serial, serial);
      assert.equal((await echo.echo({ message: "after" })).reply, "Echo: after");
    }
  });

  it("leaves no socket and no timer behind", limit, async () => {
    const t = await testNode(app);
    const { clock, world } = t;
    await t.service(EchoService).echo({ message: "hi" });
    await t[Symbol.asyncDispose]();
    await clock.settle();
    assert.equal(world.network.openSockets, 0);
    assert.equal(world.hub.openSockets, 0);
    assert.equal(clock.pending, 0);
  });
});
