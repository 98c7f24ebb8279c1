import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "@roost/edge/testing";
import { actor, queue } from "../../../../src/actor.ts";
import { defineNode } from "../../../../src/define.ts";
import { InspectorClient } from "./inspector_client.ts";
import { ask, get, inspectToken, sends } from "./support.ts";

/** Ends the step that goes on. */
let release = (): void => {};

const order = actor({
  state: () => ({ steps: [] as string[] }),
  queues: { payments: queue<number>() },
  actions: { steps: (c) => c.state.steps, pay: (c, sum: number) => c.queue.send("payments", sum) },
  run: {
    async workflow(w) {
      await w.step("book", (c) => void c.state.steps.push("book"));
      const paid = await w.message("paid", { names: ["payments"] });
      await w.step("settle", async (c) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        c.state.steps.push(`settle ${paid?.body}`);
      });
      return "done";
    },
  },
});

interface Answer {
  readonly isWorkflowEnabled: boolean;
  readonly history: {
    readonly state: string;
    readonly output: unknown;
    readonly entries: readonly {
      readonly id: string;
      readonly state: string;
      readonly location: readonly string[];
      readonly detail: { readonly kind: string };
    }[];
  };
}

const entriesOf = ({ history }: Answer): string[] =>
  history.entries.map(({ location, state, detail }) => `${location} ${detail.kind} ${state}`);

async function open(): Promise<{ t: TestNode; id: string; path: string }> {
  const t = await testNode(defineNode({ actors: { order } }), { inspectToken });
  await t.actors.order.get("a").steps();
  await t.clock.settle();
  const id = await t.actors.order.get("a").resolve();
  return { t: t as unknown as TestNode, id, path: `/actors/${id}` };
}

describe("the workflow of an actor, inspected", () => {
  it("[H-33] is shown, awake and asleep, and replayed with and without an entry", async () => {
    const { t, path } = await open();
    const before = await get<Answer>(t, `${path}/workflow-history`);
    assert.deepEqual(entriesOf(before), ["book step completed", "paid message sleeping"]);
    await t.clock.advance(60_000);
    assert.equal(t.node.actors?.awake, 0);
    assert.deepEqual(await get<Answer>(t, `${path}/workflow-history`), before);
    assert.equal(t.node.actors?.awake, 0);
    const entryId = before.history.entries[1]?.id;
    const replayed = await get<Answer>(t, `${path}/workflow/replay`, sends("POST", { entryId }));
    assert.deepEqual(entriesOf(replayed), ["book step completed"]);
    await get(t, `${path}/workflow/replay`, sends("POST", {}));
    await t.clock.settle();
    const { output } = await get<{ output: unknown }>(t, `${path}/action/steps`, sends("POST", {}));
    assert.deepEqual(output, ["book", "book"]);
    await t[Symbol.asyncDispose]();
  });

  it("[H-91] is not replayed without the token (401), nor while it runs (409)", async () => {
    const { t, path } = await open();
    const refused = await t.fetch(`/inspect${path}/workflow/replay`, sends("POST", {}));
    assert.equal(refused.status, 401);
    await get(t, `${path}/action/pay`, sends("POST", { args: [7] }));
    await t.clock.settle();
    const running = await ask(t, `${path}/workflow/replay`, sends("POST", {}));
    assert.equal(running.status, 409);
    assert.equal((await running.json()).error.code, "actor.workflow_in_flight");
    release();
    await t.clock.settle();
    const done = await get<Answer>(t, `${path}/workflow-history`);
    assert.deepEqual([done.history.state, done.history.output], ["completed", "done"]);
    for (const body of [{ entryId: "999" }, { entryId: 1 }]) {
      const wrong = await ask(t, `${path}/workflow/replay`, sends("POST", body));
      assert.ok([400, 404].includes(wrong.status), String(wrong.status));
    }
    await t[Symbol.asyncDispose]();
  });

  it("is seen on the WebSocket as it goes on", async () => {
    const { t, id } = await open();
    const client = await InspectorClient.open(t, id);
    const [init] = client.tagged("Init");
    assert.equal(init?.["isWorkflowEnabled"], true);
    client.send("ActionRequest", { id: 1, name: "pay", args: [1] });
    await t.clock.settle();
    await t.clock.advance(50);
    const [updated] = client.tagged("WorkflowHistoryUpdated");
    assert.deepEqual(entriesOf(updated as unknown as Answer), [
      "book step completed",
      "paid message completed",
      "settle step running",
    ]);
    client.send("WorkflowHistoryRequest", { id: 2 });
    client.send("WorkflowReplayRequest", { id: 3 });
    await t.clock.settle();
    assert.equal(client.tagged("WorkflowHistoryResponse")[0]?.["rid"], 2);
    assert.match(String(client.tagged("Error")[0]?.["message"]), /a step of the workflow runs/);
    release();
    await t.clock.settle();
    client.send("WorkflowReplayRequest", { id: 4 });
    await t.clock.settle();
    const [replayed] = client.tagged("WorkflowReplayResponse");
    assert.deepEqual([replayed?.["rid"], replayed?.["isWorkflowEnabled"]], [4, true]);
    await t[Symbol.asyncDispose]();
  });
});
