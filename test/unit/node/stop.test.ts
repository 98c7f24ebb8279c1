import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode } from "@roost/edge";
import { TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { AisClient } from "../../../src/identity/ais_client.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { never } from "../identity/support.ts";
import { echoNode, gate } from "./support.ts";

const limit = { timeout: 60_000 };

describe("stop", () => {
  it("[N-4] ends cleanly after a long idle time in which background work ran", limit, async () => {
    await using t = await testNode(echoNode());
    const { node, clock, world } = t;
    await clock.advance(600_000);
    assert.equal(node.phase, "running");
    assert.equal(node.presence.signaling.connected, true);
    await t.stop();
    assert.equal(node.phase, "stopped");
    assert.equal(world.hub.openSockets, 0);
    assert.equal(world.network.openSockets, 0);
  });

  it("[N-5] may be asked for twice", limit, async () => {
    await using t = await testNode(echoNode());
    const { node } = t;
    const first = node.stop();
    assert.equal(node.phase, "stopping");
    const second = node.stop();
    await Promise.all([first, second, node[Symbol.asyncDispose]()]);
    await node.stop();
    assert.equal(node.phase, "stopped");
  });

  it(
    "[N-23] [ND-31] handles what was let in, answers it, then runs onStop, which can still call peers; then closes",
    limit,
    async () => {
      const events: string[] = [];
      const first = gate();
      await using world = await TestWorld.open();
      const helper = await TestNode.start(
        world,
        echoNode(undefined, { type: "acme:Helper:1.0.0" }),
      );
      const definition = echoNode(
        async (text) => {
          events.push(`${text} started`);
          if (text === "first") await first.promise;
          events.push(`${text} finished`);
          return text;
        },
        {
          hooks: {
            async onStop(context) {
              events.push("on_stop");
              const { reply } = await context
                .service(EchoService, helper.id)
                .echo({ message: "bye" });
              events.push(reply);
            },
          },
        },
      );
      const t = await TestNode.start(world, definition);
      const echo = t.service(EchoService);
      const answers = ["first", "second"].map((message) =>
        echo.echo({ message }).then(({ reply }) => void events.push(`${reply} answered`)),
      );
      await settledUntil(world.clock, "the first is handled", () => events.length > 0);
      const { node } = t;
      const stopping = node.stop();
      await world.clock.settle();
      assert.deepEqual(events, ["first started"]);
      await assert.rejects(
        helper.context.discover("acme:EchoService:1.0.0"),
        { code: "not_found" },
        "it is no longer found",
      );
      const refused = helper.context
        .service(EchoService, t.id)
        .echo({ message: "late" }, { timeoutMs: 500 });
      await assert.rejects(refused, { code: "unavailable" });
      first.open();
      await stopping;
      await Promise.all(answers);
      const order = events.filter((each) => !each.includes("answered"));
      assert.deepEqual(order, [
        "first started",
        "first finished",
        "second started",
        "second finished",
        "on_stop",
        "Echo: bye",
      ]);
      assert.ok(events.includes("first answered") && events.includes("second answered"));
      assert.equal(node.phase, "stopped");
    },
  );

  it(
    "[N-24] [ND-32] is done within one deadline, whatever hangs: handlers are told, onStop has its time, nothing is left",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const caller = await TestNode.start(world, defineNode({}));
      await world.clock.settle();
      const before = { sockets: world.network.openSockets, links: world.hub.openSockets };
      const told: string[] = [];
      const hanging = echoNode(
        (_text, { signal }) => {
          signal.addEventListener("abort", () => told.push("handler"));
          return new Promise(() => {});
        },
        {
          hooks: {
            onStop({ signal }) {
              told.push(`onStop at ${world.clock.now() - startedAt}, ${signal.aborted}`);
              return new Promise(() => {});
            },
          },
        },
      );
      const t = await TestNode.start(world, hanging);
      const call = caller.context
        .service(EchoService, t.id)
        .echo({ message: "x" }, { timeoutMs: 20_000 });
      const failed = assert.rejects(call, (error) => ActrError.is(error) && error.retryable);
      await world.clock.settle();
      const startedAt = world.clock.now();
      let tookMs = 0;
      const stopped = t.node.stop().then(() => {
        tookMs = world.clock.now() - startedAt;
      });
      await world.clock.through(stopped);
      assert.deepEqual(told, ["handler", "onStop at 11250, true"]);
      assert.equal(tookMs, 13_500);
      assert.equal(t.node.phase, "stopped");
      await world.clock.advance(20_000);
      await failed;
      const after = { sockets: world.network.openSockets, links: world.hub.openSockets };
      assert.deepEqual(after, before);
    },
  );

  it(
    "[ND-32] leaves under the identity that it has by then, and waits until signaling is closed",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const watcher = await TestNode.start(world, defineNode({}));
      let whileStopping: string | undefined;
      const onStop = async (): Promise<void> => {
        const found = watcher.context.discover("acme:EchoService:1.0.0");
        whileStopping = await found.then(
          () => "found",
          (error: ActrError) => error.code,
        );
      };
      const t = await TestNode.start(world, echoNode(undefined, { hooks: { onStop } }));
      const first = t.id;
      const ais = new AisClient(world, { url: world.aisUrl });
      t.node.presence.session.commit(
        await ais.register({ type: first.type, realm: 1001 }, { signal: never }),
      );
      await world.clock.settle();
      const second = t.id;
      assert.notEqual(second.serial, first.serial);
      const found = await watcher.context.discover("acme:EchoService:1.0.0", { count: 8 });
      assert.ok(found.some(({ serial }) => serial === second.serial));
      const { node } = t;
      await node.stop();
      assert.equal(node.presence.signaling.connected, false);
      assert.equal(whileStopping, "not_found", "unregistered before its socket is closed");
    },
  );

  it(
    "[N-14] a call to a node that has stopped fails as transport does, within its deadline",
    limit,
    async () => {
      await using a = await testNode(defineNode({}));
      const b = await a.peer(echoNode());
      const { id } = b;
      await a.context.service(EchoService, id).echo({ message: "x" });
      await b.stop();
      const before = a.clock.now();
      const call = a.context.service(EchoService, id).echo({ message: "x" }, { timeoutMs: 3_000 });
      await assert.rejects(a.clock.through(call), (error) => {
        assert.ok(ActrError.is(error));
        assert.ok(
          ["unavailable", "timed_out", "connection_not_ready"].includes(error.code),
          error.code,
        );
        return true;
      });
      assert.ok(a.clock.now() - before <= 3_000);
    },
  );

  it("ends own calls that wait, and the context's signal", limit, async () => {
    await using t = await testNode(defineNode({}));
    const silent = await t.peer(echoNode(() => new Promise(() => {})));
    const { context, node } = t;
    const call = context.service(EchoService, silent.id).echo({ message: "x" });
    const failed = assert.rejects(call, { code: "stopping" });
    await t.clock.settle();
    await node.stop();
    await failed;
    assert.equal(context.signal.aborted, true);
    await assert.rejects(context.service(EchoService, silent.id).echo({ message: "y" }), {
      code: "stopping",
    });
  });

  it("keeps durable messages that were not handled for the next start", limit, async () => {
    const handled: string[] = [];
    const door = gate();
    const definition = echoNode(async (text) => {
      if (text === "slow") await door.promise;
      handled.push(text);
      return text;
    });
    await using t = await testNode(definition);
    const sender = await t.peer();
    const tell = (message: string) =>
      sender.context.tell(t.id, "echo.EchoService.Echo", encode(message), { durable: true });
    await tell("slow");
    await tell("waiting");
    await t.restart({ crash: true });
    assert.deepEqual(handled, []);
    await t.clock.settle();
    door.open();
    await t.clock.settle();
    assert.deepEqual(handled.slice(-2), ["slow", "waiting"]);
    assert.deepEqual(await t.store.mailboxRows(0, 10), []);
  });
});

function encode(message: string): Uint8Array {
  const text = new TextEncoder().encode(message);
  return Uint8Array.of(0x0a, text.length, ...text);
}
