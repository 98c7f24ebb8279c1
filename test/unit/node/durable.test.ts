import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode } from "@roost/edge";
import { testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { echoNode, gate } from "./support.ts";

const limit = { timeout: 60_000 };

/** Counts in durable state; the reply is the new count. */
const counting = echoNode(
  async (_text, { state }) => {
    const count = ((await state.get("count"))?.[0] ?? 0) + 1;
    state.put("count", Uint8Array.of(count));
    return String(count);
  },
  { durable: true },
);

describe("durable work", () => {
  it(
    "has its effect once: a retry under the same id gets the one answer, also after a crash",
    limit,
    async () => {
      await using t = await testNode(counting);
      const echo = t.service(EchoService);
      const requestId = "11111111-1111-4111-8111-111111111111";
      assert.equal((await echo.echo({}, { requestId })).reply, "1");
      assert.equal((await echo.echo({}, { requestId })).reply, "1");
      await t.restart({ crash: true });
      assert.equal((await echo.echo({}, { requestId })).reply, "1");
      assert.deepEqual(await t.store.record("state", "count"), Uint8Array.of(1));
      assert.equal((await echo.echo({})).reply, "2");
    },
  );

  it(
    "that was under way in a crash is done again, and its caller's retry hears of it",
    limit,
    async () => {
      const doors = [gate(), gate()];
      let runs = 0;
      const slow = echoNode(
        async (text, { state }) => {
          const door = doors[runs++];
          state.put("text", new TextEncoder().encode(text));
          await door?.promise;
          return `run ${runs}`;
        },
        { durable: true },
      );
      await using t = await testNode(slow);
      const call = t.service(EchoService).echo({ message: "x" });
      await t.clock.settle();
      assert.equal(runs, 1);
      await t.restart({ crash: true });
      doors[0]?.open();
      await t.clock.settle();
      assert.equal(await t.store.record("state", "text"), undefined, "the dead run left nothing");
      assert.equal(runs, 2);
      doors[1]?.open();
      await t.clock.advance(5_000);
      assert.equal((await call).reply, "run 2");
      assert.equal(runs, 2);
      assert.deepEqual(await t.store.mailboxRows(0, 10), []);
    },
  );

  it("is accepted by a durable tell, and done after a restart if not before", limit, async () => {
    const handled: string[] = [];
    const definition = echoNode((text) => {
      handled.push(text);
      return text;
    });
    await using t = await testNode(definition);
    const sender = await t.peer(defineNode({}));
    const echo = sender.context.service(EchoService, t.id).echo;
    await echo.tell({ message: "a" }, { durable: true });
    await t.clock.settle();
    assert.deepEqual(handled, ["a"]);
    await t.restart();
    await t.clock.settle();
    assert.deepEqual(handled, ["a"], "nothing is done twice");
  });

  it("[T-7] two first calls at once share one session", limit, async () => {
    await using t = await testNode(defineNode({}));
    const b = await t.peer(echoNode());
    const echo = t.context.service(EchoService, b.id);
    const replies = await Promise.all(["x", "y"].map((message) => echo.echo({ message })));
    assert.deepEqual(
      replies.map(({ reply }) => reply),
      ["Echo: x", "Echo: y"],
    );
    assert.equal(t.node.outbound.sessions.size, 1);
    const [session] = t.node.outbound.sessions.sessions();
    assert.equal(session?.links.size, 1);
  });
});
